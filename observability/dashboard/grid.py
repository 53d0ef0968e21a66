"""Metrics of a range step by step: what charts and their tables are made of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from observability import series
from observability.ranges import Range
from observability.series import Summary

NOTHING: Final = Summary()

Group = tuple[str, ...]


class Source(NamedTuple):
    """A metric to read, summed up for each combination of these tags' values."""

    name: str
    group_by: tuple[str, ...] = ()


Found = dict[tuple[Source, Group], Summary]


@dataclass(frozen=True, slots=True)
class Step:
    """What was recorded from `start` on: `seconds` of it have passed."""

    start: datetime
    end: datetime
    seconds: float
    found: Found

    def of(self, source: Source, group: Group = ()) -> Summary:
        """What the source has in this step, of this group."""
        return self.found.get((source, group), NOTHING)

    def all_of(self, source: Source) -> Summary:
        """What the source has in this step, all groups together."""
        return added(found for (each, _), found in self.found.items() if each == source)


@dataclass(frozen=True, slots=True)
class Grid:
    """The steps of a range, each with all that was read."""

    steps: list[Step]

    def merged(self, most: int) -> "Grid":
        """At most so many steps, each made of as many of ours; the last may be shorter."""
        size = -(-len(self.steps) // most)
        for step in self.steps:
            for summary in step.found.values():
                summary.compact()
        return Grid([_joined(self.steps[at : at + size]) for at in range(0, len(self.steps), size)])

    def groups(self, source: Source) -> dict[Group, Summary]:
        """What the source has by group; of a grid of one step."""
        (step,) = self.steps
        return {group: found for (each, group), found in step.found.items() if each == source}


def read(sources: Iterable[Source], shown: Range) -> Grid:
    """Everything that these sources have in the range: a query for each metric."""
    by_name: dict[str, list[Source]] = {}
    for source in dict.fromkeys(sources):
        by_name.setdefault(source.name, []).append(source)
    found: dict[datetime, Found] = {at: {} for at in shown.steps}
    for name, each in by_name.items():
        tags = sorted({tag for source in each for tag in source.group_by})
        for point in series.points(name, shown.start, shown.end, shown.step, group_by=tags):
            if len(each) > 1:
                point.summary.compact()
            for source in each:
                group = tuple(point.tags[tag] for tag in source.group_by)
                _join(found[point.at], (source, group), point.summary)
    length = timedelta(seconds=shown.step)
    return Grid([Step(at, at + length, shown.seconds_of(at), cells) for at, cells in found.items()])


def added(summaries: Iterable[Summary]) -> Summary:
    """All of them in one."""
    whole = Summary()
    for each in summaries:
        whole.join(each)
    return whole


def _joined(steps: Sequence[Step]) -> Step:
    found: Found = {}
    for step in steps:
        for key, summary in step.found.items():
            _join(found, key, summary)
    return Step(steps[0].start, steps[-1].end, sum(step.seconds for step in steps), found)


def _join(found: Found, key: tuple[Source, Group], summary: Summary) -> None:
    whole = found.get(key)
    if whole is None:
        whole = found[key] = Summary()
    whole.join(summary)
