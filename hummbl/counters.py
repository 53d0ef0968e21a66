"""Counters that many processes share, exact because each step is one atomic statement.

They stay out of the product's way: a SQLite file of their own beside the database that is never
synced to disk, an unlogged table on PostgreSQL. Losing them costs nothing.
"""

import hashlib
import os
import sqlite3
import threading
import time
from pathlib import Path

from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

SWEEP_SECONDS = 60.0
TIMEOUT = 10.0  # seconds for who writes at the same moment

# A key's window begins with its first hit, and anew with the first hit after its end. One that
# would end later than a whole window from now was begun before the clock was set back.
# The time is the database's, read when the row is locked: else a hit that waited would come with an
# older time than the one it waited for.
_HIT = """
    INSERT INTO hummbl_rate_counter AS c (key, count, expires)
    VALUES ({0}, 1, {now} + {0})
    ON CONFLICT (key) DO UPDATE SET (count, expires) = (
        SELECT
            CASE WHEN c.expires > now AND c.expires <= now + {0} THEN c.count + 1 ELSE 1 END,
            CASE WHEN c.expires > now AND c.expires <= now + {0} THEN c.expires ELSE now + {0} END
        FROM (SELECT {now} AS now) AS clock
    )
    RETURNING count, expires - {now}
"""
_SWEEP = "DELETE FROM hummbl_rate_counter WHERE expires <= {now}"
_CLEAR = "DELETE FROM hummbl_rate_counter"
_CREATE = """
    CREATE TABLE IF NOT EXISTS hummbl_rate_counter
    (key TEXT PRIMARY KEY, count INTEGER NOT NULL, expires REAL NOT NULL) WITHOUT ROWID
"""

# The database's clock, in seconds of Unix time.
_SQLITE_NOW = "((julianday('now') - 2440587.5) * 86400.0)"
_POSTGRES_NOW = "extract(epoch FROM clock_timestamp())::double precision"

_lock = threading.Lock()
# By process and file: a connection must not be used after a fork, not even to close it.
_files: dict[tuple[int, str], sqlite3.Connection] = {}
_swept_at = 0.0


def hit(key: str, seconds: float) -> tuple[int, float]:
    """Count one more for `key`; how many there are in its window, and when that ends (Unix time).

    What is counted stays counted, whatever becomes of a transaction that the caller is in.
    """
    global _swept_at  # noqa: PLW0603
    now = time.time()
    digest = hashlib.sha256(key.encode(errors="replace")).hexdigest()
    count, left = _run(_HIT, (digest, *[float(seconds)] * 4))[0]
    if now - _swept_at > SWEEP_SECONDS or now < _swept_at:
        _swept_at = now
        _run(_SWEEP, ())
    return int(count), now + left


def size() -> int:
    """How many keys are counted."""
    return int(_run("SELECT count(*), 0 FROM hummbl_rate_counter", ())[0][0])


def clear() -> None:
    """Forget every count."""
    _run(_CLEAR, ())


def _run(statement: str, values: tuple[str | float, ...]) -> list[tuple[float, float]]:
    if connection.vendor != "sqlite":
        return _run_on_server(statement.format("%s", now=_POSTGRES_NOW), values)
    with _lock:
        # Read to the end: a statement that returns rows is committed with its last one.
        return _file().execute(statement.format("?", now=_SQLITE_NOW), values).fetchall()


def _run_on_server(sql: str, values: tuple[str | float, ...]) -> list[tuple[float, float]]:
    if not connection.in_atomic_block:
        return _fetch(connection, sql, values)
    # A rollback must not take the count back, nor a long transaction keep its row.
    apart = connections.create_connection(connection.alias)
    try:
        return _fetch(apart, sql, values)
    finally:
        apart.close()


def _fetch(
    through: BaseDatabaseWrapper, sql: str, values: tuple[str | float, ...]
) -> list[tuple[float, float]]:
    with through.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


def _file() -> sqlite3.Connection:
    name = _file_name(str(connection.settings_dict["NAME"]))
    found = _files.get((os.getpid(), name))
    if found is None:
        found = _files[os.getpid(), name] = _open(name)
    return found


def _file_name(database: str) -> str:
    if ":memory:" in database or "mode=memory" in database:
        return ":memory:"
    path = Path(database)
    return str(path.with_name(f"{path.name}-counters"))


def _open(name: str) -> sqlite3.Connection:
    opened = sqlite3.connect(name, timeout=TIMEOUT, isolation_level=None, check_same_thread=False)
    deadline = time.monotonic() + 10
    while True:
        try:
            opened.execute("PRAGMA synchronous=OFF")
            opened.execute("PRAGMA journal_mode=WAL").fetchall()
            opened.execute(_CREATE)
            return opened
        except sqlite3.OperationalError as error:
            # Going over to WAL does not wait for other processes that do the same. Other reasons,
            # a disk that is full, stay; nor may every request wait for them.
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                opened.close()
                raise
        if time.monotonic() > deadline:
            raise TimeoutError(f"The rate counters in {name} stay locked.")
        time.sleep(0.01)
