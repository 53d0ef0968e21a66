"""Pages as browsers saw them: how often, from where, and how fast."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from observability import names, series
from observability.dashboard import lines, units
from observability.dashboard.grid import Grid, Source
from observability.dashboard.lines import Drawing, Line
from observability.dashboard.panels import Panel
from observability.ranges import Range
from observability.series import Summary
from observability.vitals import VITALS, Vital

MOST_ROWS: Final = 50
MOST_NAMES: Final = 10


@dataclass(frozen=True, slots=True)
class Reading:
    """A vital of a page or of all: the value that 3 of 4 visits stayed within."""

    vital: Vital
    summary: Summary

    @property
    def value(self) -> float | None:
        """The 75th percentile, by which web.dev judges; None where nothing was measured."""
        return self.summary.percentile(0.75)

    @property
    def said(self) -> str:
        """The value in words."""
        return self.vital.said(self.value)

    @property
    def mark(self) -> str:
        """`good`, `fair` or `poor`; empty where nothing was measured."""
        if self.value is None:
            return ""
        if self.value <= self.vital.good:
            return "good"
        return "fair" if self.value <= self.vital.poor else "poor"

    @property
    def word(self) -> str:
        """The mark in web.dev's words."""
        return {"good": "Good", "fair": "Needs improvement", "poor": "Poor"}.get(self.mark, "")


@dataclass(frozen=True, slots=True)
class Share:
    """How often something was counted; `share` is its part of all, 0 to 1."""

    name: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class Page:
    """A page, its views and its vitals."""

    views: Share
    readings: list[Reading]


@dataclass(frozen=True, slots=True)
class Traffic:
    """Everything of a range: `views` in all, the most viewed pages, referrers and events."""

    views: int
    vitals: list[Reading]
    pages: list[Page]
    referrers: list[Share]
    events: list[Share]


def read(shown: Range) -> Traffic:
    """What browsers told in the range."""
    views = _shares(names.PAGE_VIEWS, "page", shown)
    whole = series.by(names.WEB_VITALS, shown.start, shown.end, ["vital"])
    by_page = series.by(names.WEB_VITALS, shown.start, shown.end, ["page", "vital"])
    return Traffic(
        sum(share.count for share in views),
        _readings(whole, ()),
        [Page(share, _readings(by_page, (share.name,))) for share in views[:MOST_ROWS]],
        _shares(names.REFERRERS, "host", shown)[:MOST_NAMES],
        _shares(names.BROWSER_EVENTS, "event", shown)[:MOST_NAMES],
    )


def _shares(name: str, tag: str, shown: Range) -> list[Share]:
    """The most frequent first."""
    found = series.by(name, shown.start, shown.end, [tag])
    total = sum(summary.sum for summary in found.values())
    shares = [
        Share(value or "other", int(summary.sum), summary.sum / total if total else 0)
        for (value,), summary in found.items()
    ]
    return sorted(shares, key=lambda share: (-share.count, share.name))


def _readings(found: Mapping[tuple[str, ...], Summary], page: tuple[str, ...]) -> list[Reading]:
    return [Reading(vital, found.get((*page, vital.name), Summary())) for vital in VITALS]


_BY_VITAL: Final = Source(names.WEB_VITALS, ("vital",))


def _p75_of_times(grid: Grid, _whole: Grid) -> list[Line]:
    """The vitals that are times."""
    found = [(vital, f"c{at}") for at, vital in enumerate(VITALS, start=1) if vital.is_time]
    return [
        Line(
            vital.name,
            colour,
            [step.of(_BY_VITAL, (vital.name,)).percentile(0.75) for step in grid.steps],
        )
        for vital, colour in found
    ]


VIEWS: Final = Panel(
    slug="views",
    title="Page views",
    about="Pages that browsers showed, by page.",
    drawing=lines.by_tags(names.PAGE_VIEWS, ("page",), lines.amount),
    unit=units.AMOUNT,
    form="bars",
)
SPEED: Final = Panel(
    slug="speed",
    title="Web Vitals, p75",
    about="How long pages took for 3 of 4 visits.",
    drawing=Drawing((_BY_VITAL,), _p75_of_times),
    unit=units.SECONDS,
)
PANELS: Final = (VIEWS, SPEED)
