"""Whether this installation works: the database, and the checks that apps register.

Other apps call :func:`register` from their `AppConfig.ready()`; this app imports none of them. The
answer is public, so no check puts a secret, a path or an address into its result.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from hummbl import cache, schema

HEALTHY: Final = "healthy"
UNHEALTHY: Final = "unhealthy"
UNKNOWN: Final = "unknown"

OPERATIONAL: Final = "operational"
DEGRADED: Final = "degraded"
DOWN: Final = "down"

# Whoever asks, and however often: the checks run so seldom. Seconds.
KEPT_SECONDS: Final = 1

Result = dict[str, Any]
Check = Callable[[], Result]


@dataclass(frozen=True, slots=True)
class Told:
    """A check in words, for administrators: what is so, and what to do if it should not be."""

    fact: str
    advice: str = ""


Describe = Callable[[Result], Told]


@dataclass(frozen=True, slots=True)
class _Registered:
    check: Check
    describe: Describe


def _unchecked() -> Result:
    return {"status": UNKNOWN}


def _undescribed(_result: Result) -> Told:
    return Told("Nobody looks after it here.")


# A check that nobody registered is reported as unknown, not left out: clients rely on the key.
_checks: dict[str, _Registered] = {
    "worker": _Registered(_unchecked, _undescribed),
    "queue": _Registered(_unchecked, _undescribed),
}


def register(name: str, check: Check, describe: Describe = _undescribed) -> None:
    """Add a check to the report under `name`; the last one registered under a name counts.

    It returns a dict with `status` (`healthy`, or a word for what is wrong, such as `missing`) and
    details. It runs up to once a second in each process, so it makes at most one cheap query.
    Anything but `healthy` makes the installation `degraded`, not `down`: pages and API still
    answer. `describe` puts such a result in words for the administrators' page.
    """
    _checks[name] = _Registered(check, describe)


@dataclass(frozen=True, slots=True)
class Health:
    """One reading of all checks."""

    database: Result
    checks: dict[str, Result]
    at: datetime

    @property
    def status(self) -> str:
        """`operational`, `degraded` or `down`."""
        if self.database["status"] != HEALTHY:
            return DOWN
        healthy = all(check["status"] == HEALTHY for check in self.checks.values())
        return OPERATIONAL if healthy and not self.database["pending_migrations"] else DEGRADED

    def as_dict(self) -> dict[str, Any]:
        """The body of the health answer."""
        return {
            "service": "hummbl",
            "version": settings.VERSION,
            "status": self.status,
            "database": self.database,
            **self.checks,
            "timestamp": self.at,
        }


def read() -> Health:
    """What the checks found within the last second."""
    return cache.get_or_set("health", "", KEPT_SECONDS, _read)


def database() -> Result:
    """The database alone, within the last second; two queries."""
    return cache.get_or_set("health.database", "", KEPT_SECONDS, _database)


def is_ready(found: Result) -> bool:
    """Whether a process with this database should be sent requests."""
    return found["status"] == HEALTHY and not found["pending_migrations"]


def tell(name: str, result: Result) -> Told:
    """The result of a registered check in words."""
    if result["status"] == UNKNOWN:
        return Told("Not known.", "It is read again once the database answers and is migrated.")
    return _checks[name].describe(result)


def _read() -> Health:
    found = _database()
    if found["status"] != HEALTHY:
        # The others would only wait for the same database.
        checks = {name: {"status": UNKNOWN} for name in _checks}
    else:
        checks = {name: _run(each.check) for name, each in _checks.items()}
    return Health(found, checks, timezone.now())


def _run(check: Check) -> Result:
    try:
        return check()
    except DatabaseError:
        # Its table is missing until the pending migrations are applied.
        return {"status": UNKNOWN}


def _database() -> Result:
    try:
        now = schema.read()
    except DatabaseError:
        numbers = ("schema_version", "applied_migrations", "pending_migrations")
        return {"status": UNHEALTHY, **dict.fromkeys(numbers)}
    return {
        "status": HEALTHY,
        "schema_version": now.version,
        "applied_migrations": len(now.applied),
        "pending_migrations": len(now.pending),
    }
