"""What the disk below the databases allows: the ceiling of everything that commits."""

import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

from django.conf import settings
from django.db import connection

BLOCK = b"\0" * 4096
ROOM = 1000  # blocks


def commits(seconds: float) -> float:
    """Commits a second of one row each, one after the other, below Django."""
    if connection.vendor == "sqlite":
        return _sqlite(seconds)
    import psycopg

    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as postgres:
        postgres.execute("CREATE TABLE bare (id bigserial PRIMARY KEY, value text)")
        return _rate(lambda: postgres.execute("INSERT INTO bare (value) VALUES ('x')"), seconds)


def _sqlite(seconds: float) -> float:
    with tempfile.TemporaryDirectory(dir=_folder()) as folder:
        database = sqlite3.connect(Path(folder) / "bare.sqlite3", isolation_level=None)
        try:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=FULL")
            database.execute("CREATE TABLE bare (id integer PRIMARY KEY, value text)")
            return _rate(lambda: database.execute("INSERT INTO bare (value) VALUES ('x')"), seconds)
        finally:
            database.close()


def syncs(seconds: float) -> float:
    """Blocks of 4 KB a second, each durable before the next, over room that is there already.

    So does a write-ahead log, once it has its size.
    """
    sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)
    with tempfile.TemporaryFile(dir=_folder(), buffering=0) as file:
        file.write(BLOCK * ROOM)
        os.fsync(file.fileno())
        places = cycle(range(0, len(BLOCK) * ROOM, len(BLOCK)))

        def overwrite() -> None:
            os.pwrite(file.fileno(), BLOCK, next(places))
            sync(file.fileno())

        return _rate(overwrite, seconds)


def _folder() -> Path:
    return Path(settings.DATABASES["default"]["NAME"]).parent


def _rate(action: Callable[[], object], seconds: float) -> float:
    count = 0
    begun = time.perf_counter()
    while (passed := time.perf_counter() - begun) < seconds:
        action()
        count += 1
    return count / passed
