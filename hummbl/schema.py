"""How far the tables are: the migrations of the code against those in the database."""

from dataclasses import dataclass
from functools import lru_cache

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

Key = tuple[str, str]  # an app and the name of a migration of it


@dataclass(frozen=True, slots=True)
class Schema:
    """What was applied, and what was not.

    `applied` is in the order in which they were applied, `pending` by app and name. `unknown` are
    of a newer release: this one works on its tables as long as it needs nothing that went.
    """

    applied: list[Key]
    pending: list[Key]
    unknown: list[Key]

    @property
    def version(self) -> str | None:
        """The migration that was applied last, such as `workflows.0001_initial`."""
        return ".".join(self.applied[-1]) if self.applied else None


def read() -> Schema:
    """As it is now. Raises DatabaseError."""
    recorder = MigrationRecorder(connection)
    rows = recorder.migration_qs.order_by("id").values_list("app", "name")
    applied: list[Key] = list(rows) if recorder.has_table() else []
    known = known_migrations()
    ours = {app for app, _ in known}
    return Schema(
        applied=applied,
        pending=sorted(known - set(applied)),
        unknown=[key for key in applied if key not in known and key[0] in ours],
    )


@lru_cache(maxsize=1)
def known_migrations() -> frozenset[Key]:
    """Every migration of the code, which does not change while it runs."""
    return frozenset(MigrationLoader(None).disk_migrations)
