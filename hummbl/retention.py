"""What is kept for a time only, and deleted after it: `manage.py cleanup`, and the worker hourly.

Apps register what they have of it from their `AppConfig.ready()`. Rows are deleted in batches, each
in a transaction of its own, so that nobody waits long for a lock. How long is for the operator to
say: `RETENTION_…` are numbers of days, and None, an empty setting, keeps things for good.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from hummbl import duties, space
from hummbl.models import CleanUp

logger = logging.getLogger(__name__)

# Rows that one transaction deletes at most, those of all tables together.
BATCH: Final = 500
EVERY: Final = 3600  # seconds
# Seconds between the batches of a worker, for those who wait for SQLite's one write lock.
PAUSE: Final = 0.05
# After more time than this without a clean-up it may be the clock that is wrong.
LEAP: Final = timedelta(days=7)

Expired = Callable[[], "QuerySet[Any]"]


class Deleted(NamedTuple):
    """What a batch did: how many rows went, and whether there may be more of them."""

    rows: int
    more: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """Rows that are kept for a time only.

    `describe` says for people which of them go, `count` how many would. `delete_batch(limit)`
    deletes at most that many.
    """

    name: str
    describe: Callable[[], str]
    count: Callable[[], int]
    delete_batch: Callable[[int], Deleted]


@dataclass(frozen=True, slots=True)
class Result:
    """How many rows a rule has deleted, or would delete; and what stopped it, if anything did."""

    name: str
    description: str
    rows: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a clean-up did, by rule, and what became of the database's size, for people."""

    results: list[Result]
    size: str


_rules: dict[str, Rule] = {}


def register(rule: Rule) -> None:
    """Follow this rule too, after those before it; the last one of a name counts."""
    _rules[rule.name] = rule


def register_rows(name: str, describe: Callable[[], str], expired: Expired) -> None:
    """Delete what `expired` finds, by primary keys. Nothing may depend on such a row."""

    def delete(limit: int) -> Deleted:
        rows = expired()
        keys = list(rows.values_list("pk", flat=True)[:limit])
        # Asked again: a row may have come into use meanwhile.
        _, by_model = rows.filter(pk__in=keys).delete()
        deleted = by_model.get(rows.model._meta.label, 0)  # noqa: SLF001 - a public name
        return Deleted(deleted, more=deleted > 0 and len(keys) == limit)

    register(Rule(name, describe, lambda: expired().count(), delete))


def ago(setting: str) -> datetime | None:
    """The moment so many days ago; None when the setting is empty."""
    days = getattr(settings, setting)
    return None if days is None else timezone.now() - timedelta(days=days)


def in_words(what: str, setting: str) -> str:
    """What goes and when, for people: “older than RETENTION_AUDIT, 365 days”."""
    days = getattr(settings, setting)
    if days is None:
        return f"kept for good: {setting} is empty"
    return f"{what} {setting}, {days:g} day{'' if days == 1 else 's'}"


def rules() -> list[Rule]:
    """What is kept for a time only."""
    return list(_rules.values())


def preview() -> list[Result]:
    """What `run` would delete now."""
    return [Result(rule.name, rule.describe(), rule.count()) for rule in _rules.values()]


def install() -> None:
    """Have workers clean up once an hour."""
    duties.register_slow("cleanup", _hourly, seconds=EVERY)


def run(*, pause: float = 0, stopped: duties.Stopped = lambda: False) -> list[Result]:
    """Delete everything that has expired, a batch at a time, until told to stop.

    A rule that fails keeps no other from being followed.
    """
    began = timezone.now()
    results = [_follow(rule, pause, stopped) for rule in _rules.values()]
    if not stopped():
        CleanUp.remember(began, {result.name: result.rows for result in results})
    return results


def clean_up(
    *, pause: float = 0, stopped: duties.Stopped = lambda: False, vacuum: bool = False
) -> Outcome:
    """As `run`, then give the room back; with `vacuum` write a SQLite file anew."""
    before = space.measure()
    results = run(pause=pause, stopped=stopped)
    if vacuum:
        space.rewrite()
    space.give_back(pause=pause, stopped=stopped)
    return Outcome(results, space.change(before, space.measure()))


def _hourly(stopped: duties.Stopped) -> None:
    if _time_has_leapt():
        logger.error(
            "The last clean-up was more than %s days ago by this machine's clock. If the clock is "
            "right, what has expired is deleted in an hour",
            LEAP.days,
        )
        return
    outcome = clean_up(pause=PAUSE, stopped=stopped)
    for result in outcome.results:
        if result.rows:
            logger.info("Deleted %s expired rows: %s", result.rows, result.name)
    logger.info("The database is %s", outcome.size)


def _time_has_leapt() -> bool:
    """Whether it is much later than it should be; noted, so that the next time it is believed.

    A clock that is wrong for a moment must not cost everything that was ever run.
    """
    now, last = timezone.now(), CleanUp.objects.first()
    if last is None or now - last.at <= LEAP:
        return False
    CleanUp.remember(now, {})
    return True


def _follow(rule: Rule, pause: float, stopped: duties.Stopped) -> Result:
    total, more, problem = 0, True, ""
    try:
        while more and not stopped():
            with transaction.atomic():
                deleted, more = rule.delete_batch(BATCH)
            total += deleted
            if more:
                time.sleep(pause)
    except Exception as error:
        # The other rules must not suffer.
        logger.exception("Cleaning up failed: %s", rule.name)
        problem = str(error).partition("\n")[0] or type(error).__name__
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
    return Result(rule.name, rule.describe(), total, problem)
