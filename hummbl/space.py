"""The room that the database takes on disk, and giving back what deletions have freed.

SQLite gives nothing back by itself: free pages stay in the file, and the write-ahead log stays as
long as it once was. PostgreSQL uses freed room again (autovacuum); its files shrink at their end
only, and are left to it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.db import connection

# Pages of SQLite's (4 KB) that one transaction moves, and free ones that stay for the next rows.
STEP: Final = 500
SPARE: Final = 500
INCREMENTAL: Final = 2
MEGABYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes: of the database, of SQLite's write-ahead log beside it, and free within the file."""

    data: int
    log: int = 0
    free: int = 0

    @property
    def total(self) -> int:
        """On disk."""
        return self.data + self.log


def measure() -> Space:
    """What there is now."""
    if connection.vendor == "postgresql":
        return Space(database_bytes())
    path = Path(str(connection.settings_dict["NAME"]))
    log = path.with_name(f"{path.name}-wal")
    return Space(
        data=database_bytes(),
        log=log.stat().st_size if log.exists() else 0,
        free=_number("PRAGMA page_size") * _number("PRAGMA freelist_count"),
    )


def database_bytes() -> int:
    """Of the database alone, free pages included; one query."""
    if connection.vendor == "postgresql":
        return _number("SELECT pg_database_size(current_database())")
    return _number("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")


def change(before: Space, after: Space) -> str:
    """What became of it, for people."""
    given = before.total - after.total
    if round(given / MEGABYTE, 1) > 0:
        return f"{_megabytes(after.total)}, {_megabytes(given)} less than before"
    return _megabytes(after.total)


def can_give_back() -> bool:
    """Whether free pages leave the file bit by bit. Those of a file from elsewhere may not."""
    return connection.vendor != "sqlite" or _number("PRAGMA auto_vacuum") == INCREMENTAL


def give_back(*, pause: float = 0, stopped: Callable[[], bool] = lambda: False) -> None:
    """Shorten a SQLite file by its free pages, in steps that hold its write lock only briefly.

    Within a transaction nothing is free yet.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return
    if can_give_back():
        while not stopped() and (free := _number("PRAGMA freelist_count") - SPARE) > 0:
            _vacuum(min(STEP, free))
            time.sleep(pause)
    _checkpoint()


def rewrite() -> None:
    """Write a SQLite file anew, as small as it can be and able to give back. Everybody waits.

    Needs about twice its size on the disk meanwhile.
    """
    _run("PRAGMA auto_vacuum=INCREMENTAL")
    _run("VACUUM")
    _checkpoint()


def _vacuum(pages: int) -> None:
    with connection.cursor() as cursor:
        # A script is run to its end. As a statement it would free one page: each is a row of no
        # columns, of which the driver reads the first.
        cursor.executescript(f"PRAGMA incremental_vacuum({pages})")


def _checkpoint() -> None:
    """Bring the write-ahead log into the file and make it empty, if nobody has to wait for it."""
    _run("PRAGMA wal_checkpoint(PASSIVE)")
    patience = _number("PRAGMA busy_timeout")
    _run("PRAGMA busy_timeout=0")
    try:
        # With a reader or a writer in the way it says so and leaves the file as it is.
        _run("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        _run(f"PRAGMA busy_timeout={patience}")


def _number(sql: str) -> int:
    return int(_run(sql)[0][0])


def _run(sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def _megabytes(size: int) -> str:
    return f"{size / MEGABYTE:,.1f} MB"
