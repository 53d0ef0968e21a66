"""One process at a time changes the tables, however many deployments begin at once.

The lock ends with its process, however that ends: the server or the operating system holds it.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from django.db import connections

from hummbl import unpooled

KEY: Final = 0x68756D6D626C  # "hummbl", the number of PostgreSQL's advisory lock
POLL_SECONDS: Final = 0.2


class StillLocked(Exception):
    """Somebody else held the lock for as long as we were ready to wait."""


@contextmanager
def held(alias: str, *, patience: float, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of that database. Raises StillLocked after `patience` seconds.

    `on_wait` is called once, before the waiting begins. A database in memory is nobody else's.
    """
    kinds = {"postgresql": _on_server, "sqlite": _beside_file}
    with kinds[connections[alias].vendor](alias) as is_ours:
        deadline = time.monotonic() + patience
        told = False
        while not is_ours():
            if time.monotonic() >= deadline:
                raise StillLocked
            if not told:
                told = True
                on_wait()
            time.sleep(POLL_SECONDS)
        yield


@contextmanager
def _on_server(alias: str) -> Iterator[Callable[[], bool]]:
    """An advisory lock in a transaction that stays open on a connection of its own.

    A lock of the session would not do: a pooler such as PgBouncer may give each transaction
    another session. No snapshot is held, so that this keeps nobody's rows from being vacuumed.
    """
    own = unpooled.connection("hummbl migrate", alias)
    try:
        own.set_autocommit(False)
        with own.cursor() as cursor:
            # The transaction idles while the tables are changed; and a machine that has lost its
            # power says no goodbye: the server asks for it every few seconds.
            cursor.execute(
                "SET LOCAL idle_in_transaction_session_timeout = 0; "
                "SET LOCAL tcp_keepalives_idle = 10; SET LOCAL tcp_keepalives_interval = 5; "
                "SET LOCAL tcp_keepalives_count = 3"
            )

            def is_ours() -> bool:
                cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [KEY])
                return bool(cursor.fetchone()[0])

            yield is_ours
    finally:
        own.close()


@contextmanager
def _beside_file(alias: str) -> Iterator[Callable[[], bool]]:
    database: Any = connections[alias]
    name = str(database.settings_dict["NAME"])
    if database.is_in_memory_db():
        yield lambda: True
        return
    path = Path(name)
    descriptor = os.open(path.with_name(f"{path.name}-migrate"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        yield lambda: _is_locked_now(descriptor)
    finally:
        os.close(descriptor)


def _is_locked_now(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
