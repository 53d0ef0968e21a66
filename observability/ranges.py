"""Which stretch of time a page shows: `?range=24h`, or `?start=` and `?end=` in UTC."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.utils import timezone

from observability import rollup

RANGES: Final = {
    "1h": ("Last hour", timedelta(hours=1)),
    "6h": ("Last 6 hours", timedelta(hours=6)),
    "24h": ("Last 24 hours", timedelta(hours=24)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
    "90d": ("Last 90 days", timedelta(days=90)),
}
DEFAULT: Final = "1h"
MOST_POINTS: Final = 180
# Longer ranges are shown by the day: a busy site has hundreds of thousands of rows by the hour.
LONGEST_BY_HOUR: Final = timedelta(days=7)
LONGEST: Final = timedelta(days=5 * 366)

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_STEPS: Final = (
    *(_MINUTE * minutes for minutes in (1, 2, 5, 10, 20)),
    *(_HOUR * hours for hours in (1, 2, 4, 12)),
    *(_DAY * days for days in (1, 7, 30)),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A link of the range picker."""

    name: str
    label: str
    query: str
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """From `start` on until `end`, which is not included, in steps of so many seconds.

    Both are whole steps, so the last step of a range that ends now has only begun. `name` is that
    of `RANGES`, or empty for a range between two moments; `kept` is what else the address says.
    """

    start: datetime
    end: datetime
    step: int
    now: datetime
    name: str = ""
    kept: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_live(self) -> bool:
        """Whether it ends now, so that it looks different when it is read again."""
        return bool(self.name)

    @property
    def label(self) -> str:
        """The range in words; empty between two moments."""
        return RANGES[self.name][0] if self.name else ""

    @property
    def seconds(self) -> float:
        """How long it is, up to now."""
        return (min(self.end, self.now) - self.start).total_seconds()

    @property
    def steps(self) -> list[datetime]:
        """When each step begins."""
        count = int((self.end - self.start).total_seconds()) // self.step
        return [self.start + timedelta(seconds=self.step * index) for index in range(count)]

    def seconds_of(self, begin: datetime) -> float:
        """How much of the step that begins there has passed, of which rates are made."""
        return max(1.0, min(float(self.step), (self.now - begin).total_seconds()))

    @property
    def query(self) -> str:
        """The range as an address says it."""
        return self._address({"range": self.name} if self.name else _span(self.start, self.end))

    @property
    def choices(self) -> list[Choice]:
        """The ranges that end now."""
        return [
            Choice(name, label, self._address({"range": name}), name == self.name)
            for name, (label, _) in RANGES.items()
        ]

    @property
    def previous(self) -> str:
        """The query of what was just before it."""
        return self.part(self.start - (self.end - self.start), self.start)

    @property
    def next(self) -> str:
        """The query of what follows it; empty when that is still to come."""
        if self.end >= self.now:
            return ""
        return self.part(self.end, self.end + (self.end - self.start))

    def part(self, start: datetime, end: datetime) -> str:
        """The query of another time, with what else the address says."""
        return self._address(_span(start, end))

    def _address(self, span: Mapping[str, str]) -> str:
        return urlencode({**span, **self.kept}, safe=":")


def asked(given: Mapping[str, Any], *, keep: Sequence[str] = ()) -> Range:
    """The range that an address asks for. What makes no sense is the default, not refused.

    `keep` names the other parameters that stay in the addresses of the range picker.
    """
    now = timezone.now()
    kept = {name: given[name] for name in keep if given.get(name)}
    start, end = moment(given.get("start")), moment(given.get("end"))
    if start and end and now - LONGEST < start < min(end, now):
        end = min(end, _ceil(now, _MINUTE))
        step = _step(start, end, now)
        return Range(start=_floor(start, step), end=_ceil(end, step), step=step, now=now, kept=kept)
    name = str(given.get("range"))
    return _last(name if name in RANGES else DEFAULT, now, kept)


def between(start: datetime, end: datetime) -> str:
    """The query of the range between two moments."""
    return urlencode(_span(start, end), safe=":")


def _last(name: str, now: datetime, kept: Mapping[str, str]) -> Range:
    span = RANGES[name][1]
    step = _step(now - span, now, now)
    # One that begins this very moment belongs to it too.
    end = _floor(now, step) + timedelta(seconds=step)
    return Range(start=end - span, end=end, step=step, now=now, name=name, kept=kept)


def _span(start: datetime, end: datetime) -> dict[str, str]:
    return {"start": f"{start:%Y-%m-%dT%H:%M}", "end": f"{end:%Y-%m-%dT%H:%M}"}


def _step(start: datetime, end: datetime, now: datetime) -> int:
    seconds = (end - start).total_seconds()
    # What is older than minutes are kept has nothing finer than hours.
    least = _HOUR if start < rollup.minutes_since(now) else _MINUTE
    if end - start > LONGEST_BY_HOUR:
        least = _DAY
    return next(
        (step for step in _STEPS if step >= least and seconds <= step * MOST_POINTS), _STEPS[-1]
    )


def _floor(moment: datetime, step: int) -> datetime:
    return datetime.fromtimestamp(int(moment.timestamp()) // step * step, UTC)


def _ceil(moment: datetime, step: int) -> datetime:
    begin = _floor(moment, step)
    return begin if begin == moment else begin + timedelta(seconds=step)


def moment(text: object) -> datetime | None:
    """A moment since 1970 in ISO 8601, in UTC unless it says otherwise; None for anything else."""
    try:
        found = datetime.fromisoformat(str(text))
        found = found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if found.year >= 1970 else None
