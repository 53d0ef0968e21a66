"""The tables below the charts: the slowest routes and statements, and what each model did."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from django.urls import reverse

from observability import names
from observability.dashboard import units
from observability.dashboard.grid import Grid, Group, Source
from observability.ranges import Range, between
from observability.series import Summary

MOST_ROWS: Final = 10
FAILED: Final = "5xx"

_MODEL: Final = ("provider", "model")
_ROUTES: Final = Source(names.REQUEST_DURATION, ("method", "route", "status"))
_STATEMENTS: Final = Source(names.DB_SLOW_QUERIES, ("statement",))
_MODELS: Final = (
    Source(names.AI_CALL_DURATION, _MODEL),
    Source(names.AI_TOKENS, _MODEL),
    Source(names.AI_COST, _MODEL),
    Source(names.AI_ERRORS, _MODEL),
)


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the site: `errors` were answered with a 5xx."""

    method: str
    route: str
    summary: Summary
    errors: int
    url: str

    @property
    def percentiles(self) -> list[str]:
        """p50, p95 and p99 in words."""
        return [_percentile(self.summary, share) for share in (0.5, 0.95, 0.99)]

    @property
    def error_rate(self) -> float:
        """The share of its requests that failed."""
        return self.errors / self.summary.count


def routes(whole: Grid, shown: Range) -> list[Route]:
    """The slowest by their 95th percentile."""
    found: dict[tuple[str, str], Summary] = {}
    failed: dict[tuple[str, str], int] = {}
    for (method, route, status), summary in whole.groups(_ROUTES).items():
        found.setdefault((method, route), Summary()).join(summary)
        if status == FAILED:
            failed[method, route] = summary.count
    slowest = sorted(found.items(), key=lambda each: -(each[1].percentile(0.95) or 0))
    return [
        Route(method, route, summary, failed.get((method, route), 0), _requests(shown, route))
        for (method, route), summary in slowest[:MOST_ROWS]
    ]


def _requests(shown: Range, route: str) -> str:
    query = urlencode({"route": route}, safe=":/")
    return f"{reverse('manage_requests')}?{between(shown.start, shown.end)}&{query}"


@dataclass(frozen=True, slots=True)
class Statement:
    """A slow statement, without its values; `share` is its part of all slow time, 0 to 1."""

    text: str
    summary: Summary
    share: float

    @property
    def average(self) -> str:
        """How long it takes, in words."""
        return units.say(self.summary.avg, units.SECONDS)

    @property
    def longest(self) -> str:
        """How long it took at most, in words."""
        return units.say(self.summary.max, units.SECONDS)


def statements(whole: Grid, _shown: Range) -> list[Statement]:
    """Those that took most time in all."""
    found = whole.groups(_STATEMENTS)
    total = sum(summary.sum for summary in found.values())
    rows = [
        Statement(text, summary, summary.sum / total if total else 0)
        for (text,), summary in found.items()
    ]
    rows.sort(key=lambda row: -row.summary.sum)
    return rows[:MOST_ROWS]


@dataclass(slots=True)
class Model:
    """What a model did."""

    provider: str
    model: str
    calls: Summary = field(default_factory=Summary)
    tokens: float = 0
    cost: float = 0
    errors: float = 0

    @property
    def p50(self) -> str:
        """The median call in words."""
        return _percentile(self.calls, 0.5)

    @property
    def p95(self) -> str:
        """The 95th percentile of its calls in words."""
        return _percentile(self.calls, 0.95)


def models(whole: Grid, _shown: Range) -> list[Model]:
    """The dearest first."""
    found: dict[Group, Model] = {}
    for source in _MODELS:
        for group, summary in whole.groups(source).items():
            _count(found.setdefault(group, Model(group[0], group[1])), source.name, summary)
    rows = sorted(found.values(), key=lambda row: (-row.cost, -row.calls.count))
    return rows[:MOST_ROWS]


def _count(model: Model, name: str, summary: Summary) -> None:
    if name == names.AI_CALL_DURATION:
        model.calls = summary
    elif name == names.AI_TOKENS:
        model.tokens = summary.sum
    elif name == names.AI_COST:
        model.cost = summary.sum
    else:
        model.errors = summary.sum


def _percentile(summary: Summary, share: float) -> str:
    return units.say(summary.percentile(share), units.SECONDS)


@dataclass(frozen=True, slots=True)
class Table:
    """Reads `sources` as rows, from a grid of one step."""

    sources: tuple[Source, ...]
    rows: Callable[[Grid, Range], list[Any]]


TABLES: Final = {
    "routes": Table((_ROUTES,), routes),
    "statements": Table((_STATEMENTS,), statements),
    "models": Table(_MODELS, models),
}
