"""What a chart draws: lines or bars, made of the steps of a grid."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from observability.dashboard.grid import Grid, Group, Source, Step, added
from observability.series import Summary

# Tags can have many values: those with most get a line each, all others one together.
MOST_LINES: Final = 5
OTHERS: Final = "others"
UNNAMED: Final = "–"

Value = float | None
Measure = Callable[[Summary, Step], Value]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chart, a value a step; None where there is none. `colour` is of metrics.css."""

    label: str
    colour: str
    values: list[Value]


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is read, and the lines that a grid of it makes.

    The second argument of `lines` is the whole range in one step, which decides on the lines there
    are: so those of a coarser grid are the same.
    """

    sources: tuple[Source, ...]
    lines: Callable[[Grid, Grid], list[Line]]


def per_minute(summary: Summary, step: Step) -> Value:
    """How much a minute."""
    return summary.sum * 60 / step.seconds


def amount(summary: Summary, _step: Step) -> Value:
    """How much in all."""
    return summary.sum


def mean(summary: Summary, _step: Step) -> Value:
    """The mean of a gauge."""
    return summary.avg


def p95(summary: Summary, _step: Step) -> Value:
    """The 95th percentile of a histogram."""
    return summary.percentile(0.95)


def percentiles(name: str) -> Drawing:
    """p50, p95 and p99 of a histogram."""

    source = Source(name)

    def lines(grid: Grid, _whole: Grid) -> list[Line]:
        found = [step.of(source).percentiles(0.5, 0.95, 0.99) for step in grid.steps]
        return [
            Line(label, colour, list(values))
            for label, colour, values in zip(
                ("p50", "p95", "p99"), ("c1", "c2", "c3"), zip(*found, strict=True), strict=True
            )
        ]

    return Drawing((source,), lines)


def single(name: str, label: str, measure: Measure) -> Drawing:
    """All of a metric as one line."""

    source = Source(name)

    def lines(grid: Grid, _whole: Grid) -> list[Line]:
        return [Line(label, "c1", [measure(step.of(source), step) for step in grid.steps])]

    return Drawing((source,), lines)


def share(part: str, rest: str, label: str, colour: str) -> Drawing:
    """How much of two counters together the first is, 0 to 1; None where there is nothing."""

    one, other = Source(part), Source(rest)

    def lines(grid: Grid, _whole: Grid) -> list[Line]:
        values = [_ratio(step.of(one).sum, step.of(other).sum) for step in grid.steps]
        return [Line(label, colour, values)]

    return Drawing((one, other), lines)


def share_of_tag(name: str, tag: str, value: str, label: str, colour: str) -> Drawing:
    """How much of a counter has this value of the tag, 0 to 1; None where there is nothing."""

    source = Source(name, (tag,))

    def of(step: Step) -> Value:
        part = step.of(source, (value,)).sum
        return _ratio(part, step.all_of(source).sum - part)

    def lines(grid: Grid, _whole: Grid) -> list[Line]:
        return [Line(label, colour, [of(step) for step in grid.steps])]

    return Drawing((source,), lines)


def _ratio(part: float, rest: float) -> Value:
    return part / (part + rest) if part + rest else None


def by_known(
    name: str, tag: str, measure: Measure, known: Mapping[str, tuple[str, str]]
) -> Drawing:
    """A metric by a tag whose values are known, each with its label and colour."""

    source = Source(name, (tag,))

    def lines(grid: Grid, whole: Grid) -> list[Line]:
        there = whole.groups(source)
        found = [
            _line(grid, source, [(value,)], label, colour, measure)
            for value, (label, colour) in known.items()
            if (value,) in there
        ]
        rest = [group for group in there if group[0] not in known]
        return found + ([_line(grid, source, rest, OTHERS, "c0", measure)] if rest else [])

    return Drawing((source,), lines)


def by_tags(name: str, tags: tuple[str, ...], measure: Measure) -> Drawing:
    """A metric by the values of tags, those with most of it first."""

    source = Source(name, tags)

    def lines(grid: Grid, whole: Grid) -> list[Line]:
        there = whole.groups(source)
        groups = sorted(there, key=lambda group: (-there[group].sum, group))
        labels = _labels(groups)
        found = [
            _line(grid, source, [group], labels[group], f"c{at}", measure)
            for at, group in enumerate(groups[:MOST_LINES], start=1)
        ]
        rest = groups[MOST_LINES:]
        return found + ([_line(grid, source, rest, OTHERS, "c0", measure)] if rest else [])

    return Drawing((source,), lines)


def _labels(groups: Collection[Group]) -> dict[Group, str]:
    """The last value of each group, which tells most; all values where two have the same."""
    last = Counter(group[-1] for group in groups)
    return {
        group: (" · ".join(reversed(group)) if last[group[-1]] > 1 else group[-1]) or UNNAMED
        for group in groups
    }


def _line(
    grid: Grid, source: Source, groups: Sequence[Group], label: str, colour: str, measure: Measure
) -> Line:
    values = []
    for step in grid.steps:
        found = [step.of(source, group) for group in groups]
        values.append(measure(found[0] if len(found) == 1 else added(found), step))
    return Line(label, colour, values)
