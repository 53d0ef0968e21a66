"""Reading metrics: of any range, step, grouping and tags, from merged sketches, never averaged.

A range is cut into days, hours and minutes: whole days are read from the rows of days, what is left
at both ends from those of hours, and what is left of these from minutes, as far as these are still
kept (:func:`observability.rollup.minutes_since`). So nothing is counted twice, and each read is one
statement. Of a range that begins before, the hours count that begin in it.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.utils import timezone

from observability import names, rollup, rows
from observability.models import MetricSeries
from observability.models.metric import DAY, HOUR, MINUTE
from observability.sketch import Sketch, add_up, quantiles, unpack

Group = tuple[str, ...]  # the values of grouping tags


class Summary:
    """Samples summed up. Percentiles are None of counters; all but count and sum are of nothing."""

    __slots__ = ("_packed", "count", "max", "min", "sum")

    def __init__(
        self,
        count: int = 0,
        total: float = 0.0,
        least: float | None = None,
        most: float | None = None,
        sketch: bytes = b"",
    ) -> None:
        self.count = count
        self.sum = total
        self.min = least
        self.max = most
        self._packed = [sketch] if sketch else []

    @property
    def avg(self) -> float | None:
        """The mean."""
        return self.sum / self.count if self.count else None

    @property
    def sketch(self) -> Sketch:
        """The sketches of all that was taken in, merged."""
        return unpack(add_up(self._packed)) if self._packed else {}

    def percentile(self, share: float) -> float | None:
        """The value below which this share (0 to 1) lies, 1.1 % off at most."""
        return self.percentiles(share)[0]

    def percentiles(self, *shares: float) -> list[float] | list[None]:
        """The values below which these shares (0 to 1) lie, or None for each."""
        least, most = self.min, self.max
        if not self._packed or least is None or most is None:
            return [None] * len(shares)
        found = quantiles(self._packed, shares)
        if min(found) < least or max(found) > most:
            return [min(max(value, least), most) for value in found]
        return found

    def add(self, count: int, total: float, least: float, most: float, sketch: bytes) -> None:
        """Take a bucket in."""
        self.count += count
        self.sum += total
        if self.min is None or least < self.min:
            self.min = least
        if self.max is None or most > self.max:
            self.max = most
        if sketch:
            self._packed.append(sketch)

    def join(self, other: "Summary") -> None:
        """Take in all that another has taken in."""
        if other.min is not None and other.max is not None:
            self.add(other.count, other.sum, other.min, other.max, b"")
            self._packed += other._packed  # noqa: SLF001 - of our own class

    def compact(self) -> None:
        """Merge the sketches of what was taken in, before others take it in more than once."""
        if len(self._packed) > 1:
            self._packed = [add_up(self._packed)]


@dataclass(slots=True)
class Point:
    """A step: when it begins, the values of the grouping tags, what was recorded."""

    at: datetime
    tags: dict[str, str]
    summary: Summary


class TooManyPoints(Exception):
    """More than whoever asked has a use for."""


class Recorded(NamedTuple):
    """A metric of which there are samples, and the tags that these have."""

    metric: names.Metric
    tags: list[str]


def recorded() -> list[Recorded]:
    """What metrics there are, by name."""
    found: dict[str, set[str]] = {}
    for name, tags in MetricSeries.objects.order_by("name").values_list("name", "tags"):
        found.setdefault(name, set()).update(tags)
    return [Recorded(names.describe(name), sorted(tags)) for name, tags in found.items()]


def points(
    name: str,
    start: datetime,
    end: datetime,
    step: int,
    *,
    group_by: Sequence[str] = (),
    tags: Mapping[str, str] | None = None,
    most: float = math.inf,
) -> list[Point]:
    """The metric in steps of so many seconds (whole minutes), by group and then by time.

    Steps begin at multiples of `step` since 1970 (UTC); those without samples are left out. `start`
    is included, `end` is not. Older minutes are hours by now: then nothing is finer than that.
    Raises TooManyPoints as soon as there are more than `most`.
    """
    count = 0
    found: dict[Group, dict[int, Summary]] = {}
    by_series: dict[int, dict[int, Summary]] = {}
    for row in _buckets(name, start, end, step, group_by, tags or {}):
        steps = by_series.get(row[0])
        if steps is None:
            steps = by_series[row[0]] = found.setdefault(_group(row[7:]), {})
        begin = row[1] - row[1] % step
        summary = steps.get(begin)
        if summary is None:
            steps[begin] = Summary(*row[2:7])
            count += 1
            if count > most:
                raise TooManyPoints
        else:
            summary.add(*row[2:7])
    begins = {begin for steps in found.values() for begin in steps}
    times = {begin: datetime.fromtimestamp(begin, UTC) for begin in begins}
    return [
        Point(times[begin], named, summary)
        for group, steps in sorted(found.items())
        for named in [dict(zip(group_by, group, strict=True))]
        for begin, summary in sorted(steps.items())
    ]


def total(
    name: str, start: datetime, end: datetime, *, tags: Mapping[str, str] | None = None
) -> Summary:
    """Everything of the range in one."""
    found = by(name, start, end, (), tags=tags)
    return found[()] if found else Summary()


def by(
    name: str,
    start: datetime,
    end: datetime,
    group_by: Sequence[str],
    *,
    tags: Mapping[str, str] | None = None,
) -> dict[Group, Summary]:
    """The range summed up for each combination of these tags' values."""
    found: dict[Group, Summary] = {}
    by_series: dict[int, Summary] = {}
    for row in _buckets(name, start, end, 0, group_by, tags or {}):
        summary = by_series.get(row[0])
        if summary is None:
            summary = by_series[row[0]] = found.setdefault(_group(row[7:]), Summary())
        summary.add(*row[2:7])
    return found


def _group(values: Iterable[str | None]) -> Group:
    return tuple(value or "" for value in values)


class _Span(NamedTuple):
    """Rows of one resolution that begin in a range of Unix times; of minutes perhaps only those
    that are not rolled up yet.
    """

    resolution: int
    start: int
    end: int
    unrolled: bool = False


def _buckets(
    name: str,
    start: datetime,
    end: datetime,
    step: int,
    group_by: Sequence[str],
    tags: Mapping[str, str],
) -> Iterable[Any]:
    """The rows that the range is made of, as `_read` reads them."""
    kept = int(rollup.minutes_since(timezone.now()).timestamp())
    # Rows begin at whole seconds.
    first, last = math.ceil(start.timestamp()), math.ceil(end.timestamp())
    spans = _spans(first, last, step, kept)
    return _read(name, tags, group_by, spans) if spans else []


def _spans(start: int, end: int, step: int, kept: int) -> list[_Span]:
    """What to read of a range. Steps of whole hours are read from hours, those of days from days.

    `kept` is since when there are minutes: before it there are only hours, whatever is asked for.
    """
    old = min(end, kept)
    first = -(-start // HOUR) * HOUR
    last = max(old, end // HOUR * HOUR) if step % HOUR == 0 else old
    if first >= last:
        return _without_empty(_Span(MINUTE, max(start, kept), end))
    return _without_empty(
        *_long_spans(first, last, step),
        _Span(MINUTE, first, last, unrolled=True),
        _Span(MINUTE, max(start, kept), first),
        _Span(MINUTE, max(last, kept), end),
    )


def _long_spans(first: int, last: int, step: int) -> list[_Span]:
    begin, over = -(-first // DAY) * DAY, last // DAY * DAY
    if step % DAY or begin >= over:
        return [_Span(HOUR, first, last)]
    return [_Span(HOUR, first, begin), _Span(DAY, begin, over), _Span(HOUR, over, last)]


def _without_empty(*spans: _Span) -> list[_Span]:
    return [span for span in spans if span.start < span.end]


def _read(
    name: str, tags: Mapping[str, str], group_by: Sequence[str], spans: Sequence[_Span]
) -> Iterator[Any]:
    """The rows: their series' id, when they begin (Unix time), what is in them, and the values of
    the grouping tags.
    """
    series = MetricSeries.objects.filter(name=name).order_by()
    for number, (key, value) in enumerate(tags.items()):
        text = Cast(KeyTextTransform(key, "tags"), TextField())
        series = series.alias(**{f"is{number}": text}).filter(**{f"is{number}": value})
    groups = {f"tag{number}": KeyTextTransform(key, "tags") for number, key in enumerate(group_by)}
    wanted, parameters = series.values_list("pk", *groups.values()).query.sql_with_params()
    values: list[Any] = list(parameters)
    selects = [_select(span, list(groups), values) for span in spans]
    columns = ", ".join(["id", *groups])
    # Materialised, or a tag would be looked up in the JSON for each row.
    return rows.read(
        f"WITH wanted ({columns}) AS MATERIALIZED ({wanted}) {' UNION ALL '.join(selects)}", values
    )


def _select(span: _Span, tags: Iterable[str], values: list[Any]) -> str:
    """SQL that reads a span, whose parameters are added to `values`."""
    values += [
        connection.ops.adapt_datetimefield_value(datetime.fromtimestamp(moment, UTC))
        for moment in (span.start, span.end)
    ]
    # CROSS keeps SQLite from beginning with the buckets, of which there are many. The condition on
    # `rolled` is that of the index.
    # As a number: to make a datetime of it would take longer than the rest of the row.
    start = "CAST(strftime('%%s', b.start) AS INTEGER)"
    if connection.vendor == "postgresql":
        start = "date_part('epoch', b.start)::bigint"
    return (
        f"SELECT b.series_id, {start}, b.count, b.sum, b.min, b.max, b.sketch"  # noqa: S608
        f"{''.join(f', wanted.{tag}' for tag in tags)} "
        "FROM wanted CROSS JOIN observability_metricbucket b WHERE b.series_id = wanted.id "
        f"AND b.resolution = {span.resolution}{' AND NOT b.rolled' if span.unrolled else ''} "
        "AND b.start >= %s AND b.start < %s"
    )
