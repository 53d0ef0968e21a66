"""Counters that many processes share, exact because each step is one atomic statement.

They stay out of the product's way: a SQLite file of their own beside the database that is never
synced to disk, an unlogged table on PostgreSQL. Losing them costs nothing.
"""

import hashlib
import os
import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path

from django.db import connection

SWEEP_SECONDS = 60.0

# A key's window begins with its first hit, and anew with the first hit after its end.
_HIT = """
    INSERT INTO hummbl_rate_counter AS c (key, count, expires)
    VALUES ({0}, 1, {0})
    ON CONFLICT (key) DO UPDATE SET
        count = CASE WHEN c.expires <= {0} THEN 1 ELSE c.count + 1 END,
        expires = CASE WHEN c.expires <= {0} THEN excluded.expires ELSE c.expires END
    RETURNING count, expires
"""
_SWEEP = "DELETE FROM hummbl_rate_counter WHERE expires <= {0}"
_CREATE = """
    CREATE TABLE IF NOT EXISTS hummbl_rate_counter
    (key TEXT PRIMARY KEY, count INTEGER NOT NULL, expires REAL NOT NULL) WITHOUT ROWID
"""

_lock = threading.Lock()
# By process and file: a connection must not be used after a fork, not even to close it.
_files: dict[tuple[int, str], sqlite3.Connection] = {}
_swept_at = 0.0


def hit(key: str, seconds: float) -> tuple[int, float]:
    """Count one more for `key`; how many there are in its window, and when that ends (Unix time).

    Counts in the transaction of the caller on PostgreSQL: call it outside of any.
    """
    global _swept_at  # noqa: PLW0603
    now = time.time()
    digest = hashlib.sha256(key.encode(errors="replace")).hexdigest()
    count, expires = _run(_HIT, (digest, now + seconds, now, now))[0]
    if now - _swept_at > SWEEP_SECONDS:
        _swept_at = now
        _run(_SWEEP, (now,))
    return int(count), float(expires)


def size() -> int:
    """How many keys are counted."""
    return int(_run("SELECT count(*), 0 FROM hummbl_rate_counter", ())[0][0])


def clear() -> None:
    """Forget every count."""
    _run(_SWEEP, (float("inf"),))


def _run(statement: str, values: tuple[str | float, ...]) -> list[tuple[float, float]]:
    if connection.vendor != "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(statement.format("%s"), values)
            return cursor.fetchall() if cursor.description else []
    with _lock:
        # Read to the end: a statement that returns rows is committed with its last one.
        return _file().execute(statement.format("?"), values).fetchall()


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
    opened = sqlite3.connect(name, timeout=10, isolation_level=None, check_same_thread=False)
    opened.execute("PRAGMA synchronous=OFF")
    deadline = time.monotonic() + 10
    while True:
        # Going over to WAL does not wait for other processes that do the same.
        with suppress(sqlite3.OperationalError):
            opened.execute("PRAGMA journal_mode=WAL").fetchall()
            opened.execute(_CREATE)
            return opened
        if time.monotonic() > deadline:
            raise TimeoutError(f"The rate counters in {name} stay locked.")
        time.sleep(0.01)
