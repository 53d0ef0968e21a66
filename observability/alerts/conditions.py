"""What rules read beside plain metrics: other apps register it from their `AppConfig.ready()`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from observability import names


class Reading(NamedTuple):
    """What a rule read, and of how many samples: a rule may want some before it believes it."""

    value: float
    samples: float = 1


# From the first moment up to the second; None when there is nothing to read.
Read = Callable[[datetime, datetime], Reading | None]


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that a rule can compare with its threshold.

    `unit` is "%", one of `observability.names`, or a noun. One without a window reads the present.
    `metric` is the one whose chart shows what happened.
    """

    slug: str
    label: str
    unit: str
    read: Read
    has_window: bool = True
    metric: str = ""


_conditions: Final[dict[str, Condition]] = {}


def register(condition: Condition) -> None:
    """Offer this condition too; the last one of a slug counts. It makes few, cheap queries."""
    _conditions[condition.slug] = condition


def all_conditions() -> list[Condition]:
    """Those that rules can name, by label."""
    return sorted(_conditions.values(), key=lambda condition: condition.label)


def get(slug: str) -> Condition | None:
    """The condition of that name, unless its app is gone."""
    return _conditions.get(slug)


def register_ours() -> None:
    """What this app knows of by itself."""
    register(
        Condition(
            "request-error-rate",
            "Share of requests that fail",
            "%",
            _error_rate,
            metric=names.REQUEST_COUNT,
        )
    )


def _error_rate(start: datetime, end: datetime) -> Reading | None:
    from observability import series

    requests = series.total(names.REQUEST_COUNT, start, end).sum
    if not requests:
        return None
    return Reading(100 * series.total(names.REQUEST_ERRORS, start, end).sum / requests, requests)
