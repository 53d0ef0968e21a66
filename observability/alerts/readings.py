"""What a rule compares with its threshold, now."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from observability import series
from observability.alerts import conditions
from observability.alerts.conditions import Reading
from observability.models import AlertRule
from observability.models.alert_rule import PERCENTILES
from observability.series import Summary

_AGGREGATES: Final[dict[str, Callable[[Summary], float | None]]] = {
    "count": lambda found: found.count,
    "sum": lambda found: found.sum,
    "avg": lambda found: found.avg,
    "min": lambda found: found.min,
    "max": lambda found: found.max,
}


def read(rule: AlertRule, at: datetime) -> float | None:
    """The value of the rule's window that ends now; None of too few samples."""
    # Whole minutes, as samples are kept: the window is up to a minute longer than it says.
    start = (at - timedelta(seconds=rule.window_seconds)).replace(second=0, microsecond=0)
    reading = _condition(rule, start, at) if rule.condition else _metric(rule, start, at)
    if reading is None or reading.samples < rule.min_samples:
        return None
    return reading.value


def _condition(rule: AlertRule, start: datetime, end: datetime) -> Reading | None:
    known = conditions.get(rule.condition)
    return known.read(start, end) if known else None


def _metric(rule: AlertRule, start: datetime, end: datetime) -> Reading | None:
    found = series.total(rule.metric, start, end, tags=rule.tags)
    if rule.aggregate in PERCENTILES:
        value = found.percentile(PERCENTILES[rule.aggregate])
    elif rule.aggregate == "rate":
        value = found.sum / (end - start).total_seconds()
    else:
        value = _AGGREGATES[rule.aggregate](found)
    return None if value is None else Reading(value, found.count)
