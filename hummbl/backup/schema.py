"""Tables as they are after certain migrations, and moving the database to these migrations."""

from collections.abc import Collection, Iterable
from typing import Any

from django.core.management.sql import emit_post_migrate_signal
from django.db import connection
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.models import Model
from django.db.utils import NotSupportedError

from hummbl.backup import hooks
from hummbl.backup.archive import BackupError

Migration = tuple[str, str]


def models_after(migrations: Iterable[Migration] | None = None) -> list[type[Model]]:
    """All models that have tables, as the given migrations (else those applied) have them."""
    loader = MigrationLoader(connection)
    known = set(migrations if migrations is not None else loader.applied_migrations or ())
    state = loader.project_state(_last(loader, known & set(loader.disk_migrations or ())))
    models = state.apps.get_models(include_auto_created=True)
    return [model for model in models if not model._meta.proxy]  # noqa: SLF001 - a public name


def stored(models: Iterable[type[Model]]) -> list[type[Model]]:
    """Those whose rows a backup holds. Tables that are not Django's own are somebody else's."""
    return [
        model
        for model in models
        if model._meta.managed and not hooks.is_left_out(model._meta.label)  # noqa: SLF001
    ]


def applied(apps: Collection[str]) -> list[Migration]:
    """The applied migrations of these apps. Raises BackupError for one that we do not have."""
    loader = MigrationLoader(connection)
    found = sorted(key for key in loader.applied_migrations or () if key[0] in apps)
    _require(loader, found, "The database is")
    return found


def require_known(migrations: Iterable[Migration]) -> None:
    """Raises BackupError when a newer version must have made the backup."""
    # Without a connection: to look into a backup makes no database.
    _require(MigrationLoader(None), migrations, "This backup is")


def _require(loader: MigrationLoader, migrations: Iterable[Migration], what: str) -> None:
    unknown = sorted(set(migrations) - set(loader.disk_migrations or ()))
    if unknown:
        raise BackupError(
            f"{what} of a newer version of HUMMBL: this one does not know the migration "
            f"{'.'.join(unknown[-1])}. Install that version first."
        )


def is_new() -> bool:
    """Whether nothing was ever migrated here."""
    return not MigrationLoader(connection).applied_migrations


def begin_with(migrations: Collection[Migration]) -> None:
    """Migrate a new database to exactly these; apps that these say nothing of, all the way."""
    apps = {app for app, _ in migrations}

    def targets(executor: MigrationExecutor) -> list[Migration]:
        others = [key for key in executor.loader.graph.leaf_nodes() if key[0] not in apps]
        return [*_last(executor.loader, set(migrations)), *others]

    _migrate(targets)


def move_to(migrations: Collection[Migration]) -> None:
    """Migrate an empty database to exactly these, forwards or backwards."""
    if is_new():
        begin_with(migrations)
    else:
        _migrate(lambda executor: _last(executor.loader, set(migrations)))


def move_to_newest(*, tell: bool = True) -> None:
    """Apply what is pending; with `tell`, Django's apps add their rows for new models."""
    _migrate(lambda executor: executor.loader.graph.leaf_nodes())
    if tell:
        emit_post_migrate_signal(0, interactive=False, db=connection.alias)


def _migrate(targets: Any) -> None:
    executor = MigrationExecutor(connection)
    try:
        executor.migrate(targets(executor))
    except (IrreversibleError, NotSupportedError) as error:
        raise BackupError(
            "This backup is of an older version, to which the tables here cannot be taken back. "
            "Restore it into a new, empty database."
        ) from error


def _last(loader: MigrationLoader, migrations: set[Migration]) -> list[Migration]:
    """Of each app the migrations on which none of the others of that app is built."""
    graph = loader.graph
    return sorted(
        key
        for key in migrations & graph.nodes.keys()
        if not any(
            child.key in migrations and child.key[0] == key[0]
            for child in graph.node_map[key].children
        )
    )
