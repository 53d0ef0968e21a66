"""Making a backup while the database is in use."""

import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from hummbl.backup import schema
from hummbl.backup.archive import BackupError, Manifest, Writer
from hummbl.backup.tables import Table


def make(path: Path, *, overwrite: bool = False) -> Manifest:
    """Write everything to a new file that only we may read. Raises BackupError, and leaves none.

    Nobody waits for it: it reads what was committed when it began. `path` appears when it is
    complete.
    """
    if path.exists() and not overwrite:
        raise BackupError(f"{path} exists. Name another file, or overwrite it with --force.")
    try:
        draft, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise _unwritten(path, error) from error
    try:
        with os.fdopen(draft, "wb") as file:
            manifest = write_to(file)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError as error:
        raise _unwritten(path, error) from error
    finally:
        Path(name).unlink(missing_ok=True)
    return manifest


def write_to(file: IO[bytes]) -> Manifest:
    """Write everything to a file."""
    with _one_moment():
        tables = [Table(model) for model in schema.stored(schema.models_after())]
        if not tables:
            raise BackupError("There is nothing to back up: this database has no tables yet.")
        apps = {table.model._meta.app_label for table in tables}  # noqa: SLF001 - a public name
        manifest = Manifest(
            version=settings.VERSION,
            made_at=timezone.now(),
            database=connection.vendor,
            migrations=[".".join(key) for key in schema.applied(apps)],
            encryption_keys=dict(
                Counter(key for table in tables for key in table.encryption_keys())
            ),
        )
        with Writer(file, manifest) as writer:
            for table in tables:
                writer.add(table.name, list(table.fields), table.batches())
    return manifest


@contextmanager
def _one_moment() -> Iterator[None]:
    """Read the database as it is now, whatever is committed meanwhile."""
    if connection.vendor == "postgresql":
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
        return
    with connection.cursor() as cursor:
        # `atomic` would begin as a writer, and keep all others waiting.
        cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


@contextmanager
def tidy_when_told_to_end() -> Iterator[None]:
    """SIGTERM ends the process as an exception does, which removes unfinished files."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _unwritten(path: Path, error: OSError) -> BackupError:
    reason = error.strerror or str(error)
    return BackupError(f"{path} could not be written: {reason}. Nothing was left behind.")
