"""Putting a backup in place of what is in the database, all of it or nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, OperationalError, connection, transaction

from hummbl import encryption, migration_lock
from hummbl.backup import archive, hooks, schema, tables
from hummbl.backup.archive import BackupError, Manifest, Reader
from hummbl.backup.new_file import in_a_new_file

# What `migrate` fills by itself, and what every process notes of itself and of what was done.
SEEDED: Final = {
    "accounts.AuditEntry",
    "contenttypes.ContentType",
    "auth.Permission",
    "hummbl.CleanUp",
    "hummbl.Duty",
    "observability.AlertRule",
    "observability.Installed",
    "observability.MetricBucket",
    "observability.MetricSeries",
    "observability.NotificationChannel",
    "observability.Release",
    "observability.RequestSample",
}
# Rows that a new installation has: the account that `createadmin` makes.
AT_FIRST: Final = {"accounts.User": 1}
LOCK_TIMEOUT: Final = "10s"


def check(path: Path) -> Manifest:
    """Read a backup through. Raises BackupError when it could not be restored here."""
    with archive.opened(path) as found:
        found.verify()
        schema.require_known(_migrations(found.manifest))
        return found.manifest


def restore(path: Path, *, replace: bool = False, force: bool = False) -> Manifest:
    """Replace all rows by those of a backup, and migrate them to this version.

    Raises BackupError, and has then changed nothing. It refuses a database that has rows, unless
    told to `replace` them, and one that is in use, unless told to go on by `force`.
    """
    check(path)
    if not replace and _has_rows():
        raise BackupError(
            "This database is not empty. Back it up, and replace everything in it with --replace."
        )
    if not force:
        hooks.refuse_if_in_use()
    with (
        archive.opened(path) as found,
        hooks.held(),
        _no_migrations(),
        _all_or_nothing(found.manifest),
    ):
        try:
            _load(found)
        except DatabaseError as error:
            raise _refused(error) from error
        hooks.finish(found.manifest)
        return found.manifest


def missing_keys(manifest: Manifest) -> dict[str, int]:
    """The ids of encryption keys that are not in force here, and how many secrets need each."""
    in_force = encryption.key_ids()
    return {key: count for key, count in manifest.encryption_keys.items() if key not in in_force}


def _load(found: Reader) -> None:
    migrations = _migrations(found.manifest)
    ours = apps.get_models(include_auto_created=True)
    tables.empty(tables.existing(ours))
    schema.move_to(migrations)
    models = schema.models_after(migrations)
    # Migrations may have made rows.
    tables.empty(tables.existing([*ours, *models]))
    stored = [tables.Table(model) for model in schema.stored(models)]
    with transaction.atomic():
        tables.check_references_at_the_end()
        for table in stored:
            content = found.manifest.tables.get(table.name)
            if content:
                table.insert(content.columns, found.rows(table.name))
        tables.reset_sequences(table.model for table in stored)
        # What is only checked at the end of a transaction stands in the way of migrations.
        connection.check_constraints()
    ContentType.objects.clear_cache()
    schema.move_to_newest()


def _migrations(manifest: Manifest) -> list[schema.Migration]:
    pairs = (name.partition(".") for name in manifest.migrations)
    return [(app, name) for app, _, name in pairs]


def _has_rows() -> bool:
    if connection.vendor == "sqlite" and not Path(connection.settings_dict["NAME"]).exists():
        return False
    models = {m._meta.label: m for m in apps.get_models(include_auto_created=True)}  # noqa: SLF001
    return any(
        tables.has_rows(table, beyond=AT_FIRST.get(label, 0))
        for label, model in models.items()
        if label not in SEEDED and not hooks.is_left_out(label)
        for table in tables.existing([model])
    )


@contextmanager
def _no_migrations() -> Iterator[None]:
    """No deployment changes the tables meanwhile."""
    try:
        with migration_lock.held(connection.alias, patience=0, on_wait=lambda: None):
            yield
    except migration_lock.StillLocked as error:
        raise BackupError(
            "The tables are being changed: a deployment runs, or another restore. Try again when "
            "it has ended."
        ) from error


@contextmanager
def _all_or_nothing(manifest: Manifest) -> Iterator[None]:
    if connection.vendor == "sqlite":
        with in_a_new_file():
            yield
        return
    if schema.is_new():
        # Not all migrations of others can run in one transaction; empty tables hurt nobody.
        schema.begin_with(_migrations(manifest))
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        yield


def _refused(error: DatabaseError) -> BackupError:
    if isinstance(error, OperationalError) and "lock timeout" in str(error):
        return BackupError("The database is in use. Stop web and workers, and restore again.")
    reason = str(error).strip().splitlines()[0]
    return BackupError(f"The database refused the rows, and is as it was: {reason}")
