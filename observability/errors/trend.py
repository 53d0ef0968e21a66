"""How often errors happened lately: bars in small, drawn as SVG by a template."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from observability.models.error import ErrorGroup, ErrorHour

DAY: Final = 24
WEEK: Final = 7 * DAY
# The view box of a bar chart.
STEP: Final = 4
HEIGHT: Final = 24
_LEAST: Final = 2


@dataclass(frozen=True, slots=True)
class Bar:
    """An hour: where its bar stands, and how high."""

    at: datetime
    count: int
    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Trend:
    """The counts of some hours, the present one last."""

    bars: list[Bar]

    @property
    def total(self) -> int:
        """How often it happened in all of them."""
        return sum(bar.count for bar in self.bars)

    @property
    def width(self) -> int:
        """Of the view box."""
        return len(self.bars) * STEP

    @property
    def busy(self) -> list[Bar]:
        """The hours in which it happened, the latest first."""
        return [bar for bar in reversed(self.bars) if bar.count]


def hours_of(group: ErrorGroup) -> list[ErrorHour]:
    """The hours of the last seven days in which it happened."""
    return list(group.hours.filter(hour__gte=_first(WEEK)).order_by("hour"))


def of(group: ErrorGroup) -> Trend:
    """The last seven days of a group."""
    return _laid_out(WEEK, {row.hour: row.count for row in hours_of(group)})


def of_all(groups: Iterable[ErrorGroup]) -> dict[uuid.UUID, Trend]:
    """The last day of each group; one query."""
    counts: dict[uuid.UUID, dict[datetime, int]] = {group.pk: {} for group in groups}
    rows = ErrorHour.objects.filter(group__in=list(counts), hour__gte=_first(DAY))
    for row in rows.order_by():
        counts[row.group_id][row.hour] = row.count
    return {pk: _laid_out(DAY, of_group) for pk, of_group in counts.items()}


def _laid_out(hours: int, counts: dict[datetime, int]) -> Trend:
    highest, first = max(counts.values(), default=1), _first(hours)
    bars = []
    for number in range(hours):
        at = first + timedelta(hours=number)
        count = counts.get(at, 0)
        height = max(_LEAST, round(count / highest * HEIGHT)) if count else 0
        bars.append(Bar(at, count, number * STEP, HEIGHT - height, height))
    return Trend(bars)


def _first(hours: int) -> datetime:
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    return now - timedelta(hours=hours - 1)
