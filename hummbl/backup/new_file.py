"""Building a SQLite database beside the one in use, and putting it in its place at the end."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import connection

from hummbl.backup.archive import BackupError


@contextmanager
def in_a_new_file() -> Iterator[None]:
    """Within it the default database is a new, empty file; without an error it becomes the real.

    A crash leaves either the old file or the new one. Raises BackupError when a process has the
    old one open.
    """
    path = Path(connection.settings_dict["NAME"])
    with _unused(path):
        # Found out before the work, and again when it is done.
        pass
    folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.restore."))
    draft = folder / path.name
    try:
        with _default_is(draft):
            with connection.cursor() as cursor:
                # Rows of a new file need no second place; it is synced before it is used.
                cursor.execute("PRAGMA journal_mode=DELETE")
                cursor.execute("PRAGMA synchronous=OFF")
            yield
            _complete()
        _sync(draft)
        _like(draft, path)
        with _unused(path):
            draft.replace(path)
        _sync(path.parent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _default_is(path: Path) -> Iterator[None]:
    """The default database is the file at `path`: for the ORM, and for every migration."""
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = str(path)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


@contextmanager
def _unused(path: Path) -> Iterator[None]:
    """Nobody else has the database open, nor can open it meanwhile; its log is in the file.

    Else a log that was left beside the old file would be taken for that of the new one.
    """
    connection.close()
    if not path.exists():
        yield
        return
    with closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as raw:
        try:
            before = raw.execute("PRAGMA journal_mode").fetchone()[0]
            raw.execute("PRAGMA journal_mode=DELETE").fetchone()
            raw.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise BackupError(
                f"{path} is in use. Stop web and workers, and restore again."
            ) from error
        inode = path.stat().st_ino
        try:
            yield
        finally:
            raw.execute("ROLLBACK")
            if path.stat().st_ino == inode:
                raw.execute(f"PRAGMA journal_mode={before}").fetchone()


def _complete() -> None:
    """Look at every page once more, and let readers go on beside the writer."""
    with connection.cursor() as cursor:
        found = cursor.execute("PRAGMA integrity_check").fetchone()[0]
        if found != "ok":
            raise BackupError(f"The new database is damaged, and was not put in place: {found}")
        cursor.execute("PRAGMA journal_mode=WAL")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _like(draft: Path, path: Path) -> None:
    """Whoever could use the old file can use the new one; root restores for another user."""
    model = path if path.exists() else path.parent
    owner = model.stat()
    if path.exists():
        shutil.copymode(path, draft)
    if os.geteuid() == 0:
        os.chown(draft, owner.st_uid, owner.st_gid)
