"""Whether this installation works: the database, and whatever other apps register.

Other apps call :func:`register` from their `AppConfig.ready()`; this app imports none of them. The
answer is public, so no check puts a secret, a path or an address into its result.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

HEALTHY = "healthy"
UNHEALTHY = "unhealthy"
UNKNOWN = "unknown"

Check = Callable[[], dict[str, Any]]

# A check that nobody registered is reported as unknown, not left out: clients rely on the key.
_checks: dict[str, Check] = {"worker": lambda: {"status": UNKNOWN}}


def register(name: str, check: Check) -> None:
    """Add a check to the report under `name`; the last one registered under a name counts.

    It returns a dict with `status` (`healthy`, or a word for what is wrong, such as `missing`) and
    details. It runs on every health request, so it makes at most one cheap query. Anything but
    `healthy` makes the installation `degraded`, not `down`: pages and API still answer.
    """
    _checks[name] = check


@dataclass(frozen=True, slots=True)
class Health:
    """One reading of all checks."""

    database: dict[str, Any]
    checks: dict[str, dict[str, Any]]

    @property
    def status(self) -> str:
        """`operational`, `degraded` or `down`."""
        if self.database["status"] != HEALTHY:
            return "down"
        healthy = all(check["status"] == HEALTHY for check in self.checks.values())
        return "operational" if healthy and not self.database["pending_migrations"] else "degraded"

    def as_dict(self) -> dict[str, Any]:
        """The body of the health answer."""
        return {
            "service": "hummbl",
            "version": settings.VERSION,
            "status": self.status,
            "database": self.database,
            **self.checks,
            "timestamp": timezone.now(),
        }


def read() -> Health:
    """Run every check now."""
    database = _database()
    if database["status"] != HEALTHY:
        # The others would only wait for the same database.
        return Health(database, {name: {"status": UNKNOWN} for name in _checks})
    return Health(database, {name: _run(check) for name, check in _checks.items()})


def _run(check: Check) -> dict[str, Any]:
    try:
        return check()
    except DatabaseError:
        # Its table is missing until the pending migrations are applied.
        return {"status": UNKNOWN}


def _database() -> dict[str, Any]:
    try:
        recorder = MigrationRecorder(connection)
        applied = list(
            recorder.migration_qs.order_by("id").values_list("app", "name")
            if recorder.has_table()
            else []
        )
    except DatabaseError:
        return {"status": UNHEALTHY, "schema_version": None, "pending_migrations": None}
    return {
        "status": HEALTHY,
        "schema_version": ".".join(applied[-1]) if applied else None,
        "pending_migrations": len(_known_migrations() - set(applied)),
    }


@lru_cache(maxsize=1)
def _known_migrations() -> frozenset[tuple[str, str]]:
    """App and name of every migration of the code, which does not change while it runs."""
    return frozenset(MigrationLoader(None).disk_migrations)
