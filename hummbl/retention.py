"""What is kept for a time only, and deleted after it: `manage.py cleanup`, and the worker hourly.

Apps register what they have of it from their `AppConfig.ready()`. Rows are deleted in batches, each
in a transaction of its own, so that nobody waits long for a lock.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet

from hummbl import counters

logger = logging.getLogger(__name__)

BATCH: Final = 500
EVERY: Final = 3600  # seconds
# Seconds between the batches of a worker, for those who wait for SQLite's one write lock.
PAUSE: Final = 0.05

Expired = Callable[[], "QuerySet[Any]"]


@dataclass(frozen=True, slots=True)
class Rule:
    """Rows that are kept for a time only. `describe` says for people which of them go."""

    name: str
    describe: Callable[[], str]
    expired: Expired
    delete_batch: Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Result:
    """How many rows a rule has deleted, or would delete."""

    name: str
    description: str
    rows: int


_rules: dict[str, Rule] = {}


def register(
    name: str,
    describe: Callable[[], str],
    expired: Expired,
    delete_batch: Callable[[int], int] | None = None,
) -> None:
    """Delete what `expired` finds; the last one registered under a name counts.

    `delete_batch(limit)` deletes at most that many rows and returns how many it did; without it
    they are deleted by their primary keys.
    """

    def delete(limit: int) -> int:
        rows = expired()
        keys = list(rows.values_list("pk", flat=True)[:limit])
        # Asked again: a row may have come into use meanwhile.
        _, by_model = rows.filter(pk__in=keys).delete()
        return by_model.get(rows.model._meta.label, 0)  # noqa: SLF001 - a public name

    _rules[name] = Rule(name, describe, expired, delete_batch or delete)


def preview() -> list[Result]:
    """What `run` would delete now."""
    return [Result(rule.name, rule.describe(), rule.expired().count()) for rule in _rules.values()]


def run(*, pause: float = 0, stopped: Callable[[], bool] = lambda: False) -> list[Result]:
    """Delete everything that has expired, a batch at a time, until told to stop."""
    return [
        Result(rule.name, rule.describe(), _delete_all(rule, pause, stopped))
        for rule in _rules.values()
    ]


def run_hourly(stopped: Callable[[], bool]) -> None:
    """As `run`, unless some process did within the hour: what workers call, in a thread."""
    try:
        if counters.hit("cleanup", EVERY)[0] > 1:
            return
        for result in run(pause=PAUSE, stopped=stopped):
            if result.rows:
                logger.info("Deleted %s expired rows: %s", result.rows, result.name)
    except DatabaseError as error:
        logger.warning("Cleaning up was cut off, and goes on in an hour: %s", error)
    finally:
        connection.close()


def _delete_all(rule: Rule, pause: float, stopped: Callable[[], bool]) -> int:
    total = 0
    while not stopped():
        with transaction.atomic():
            deleted = rule.delete_batch(BATCH)
        total += deleted
        if deleted < BATCH:
            break
        time.sleep(pause)
    return total
