"""Minutes into hours, days and ever; and what of them is kept for how long.

Each row of a minute is added to the rows of its hour, of its day and of all time once, and marked
in the same transaction: whoever dies in between has done nothing. The rows of a series are locked
by the series, so that two processes that roll up at once on PostgreSQL do so one after the other;
SQLite has one writer anyway.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from hummbl import duties, retention
from observability.buffer import Cell
from observability.models import MetricBucket, MetricSeries
from observability.models.metric import DAY, EVER, HOUR, MINUTE
from observability.sketch import pack, unpack
from observability.unmeasured import unmeasured

# Minutes that one transaction rolls up.
BATCH: Final = 500
# Seconds after its begin at which a minute is rolled up; what is written of it later is a new row.
PATIENCE: Final = 3 * MINUTE
# How long minutes are kept, so that what is younger can be read by the minute.
MINUTES_KEPT: Final = timedelta(days=2)
DAYS_KEPT: Final = timedelta(days=5 * 365)

Key = tuple[int, int, int]  # series, resolution, start in Unix time


def register() -> None:
    """Tell the duties and what is kept for a time only."""
    duties.register("metrics", roll_up, seconds=MINUTE)
    retention.register(retention.Rule("metrics", _describe, _count, _delete))


def roll_up() -> int:
    """Roll up the minutes that are over; how many rows that were."""
    before = datetime.fromtimestamp(time.time() - PATIENCE, UTC)
    total = 0
    with unmeasured():
        while rolled := _roll_up_some(before):
            total += rolled
    return total


def minutes_since(now: datetime) -> datetime:
    """From when on minutes are kept. Of what is older there are hours, all of each."""
    return (now - MINUTES_KEPT).replace(minute=0, second=0, microsecond=0)


def _roll_up_some(before: datetime) -> int:
    waiting = MetricBucket.objects.filter(resolution=MINUTE, rolled=False, start__lt=before)
    with transaction.atomic():
        some = waiting.order_by("series_id", "start").values_list("pk", "series_id")[:BATCH]
        found = dict(some)
        _lock(found.values())
        # Asked again: another process may have been first. A row that its process is just writing
        # again is left for the next time.
        rows = waiting.filter(pk__in=found).select_for_update(skip_locked=True)
        _write(_sum_up(rows))
        MetricBucket.objects.filter(pk__in=[row.pk for row in rows]).update(rolled=True)
        return len(rows)


def _lock(series: Iterable[int]) -> None:
    """Wait for those who roll up the same series, and keep others waiting; not who records."""
    rows = MetricSeries.objects.filter(pk__in=set(series)).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk"))


def _sum_up(rows: Iterable[MetricBucket]) -> dict[Key, Cell]:
    found: dict[Key, Cell] = {}
    for row in rows:
        at, cell = int(row.start.timestamp()), _cell(row)
        for resolution in (HOUR, DAY, EVER):
            begin = at // resolution * resolution if resolution else 0
            found.setdefault((row.series_id, resolution, begin), Cell()).add(cell)
    return found


def _cell(row: MetricBucket) -> Cell:
    sketch = Counter(unpack(bytes(row.sketch)) if row.sketch else {})
    return Cell(row.count, row.sum, row.min, row.max, sketch)


def _write(summed: Mapping[Key, Cell]) -> None:
    """Add these to the rows that there are."""
    there = MetricBucket.objects.filter(
        writer=0,
        series__in={key[0] for key in summed},
        resolution__in=(HOUR, DAY, EVER),
        start__in={_moment(key[2]) for key in summed},
    )
    for row in there:
        if whole := summed.get((row.series_id, row.resolution, int(row.start.timestamp()))):
            whole.add(_cell(row))
    MetricBucket.objects.bulk_create(
        [_row(key, whole) for key, whole in summed.items()],
        update_conflicts=True,
        unique_fields=["series", "resolution", "start", "writer"],
        update_fields=["count", "sum", "min", "max", "sketch"],
    )


def _row(key: Key, whole: Cell) -> MetricBucket:
    series, resolution, begin = key
    return MetricBucket(
        series_id=series,
        resolution=resolution,
        start=_moment(begin),
        count=whole.count,
        sum=whole.sum,
        min=whole.min,
        max=whole.max,
        sketch=pack(whole.sketch) if whole.sketch else b"",
    )


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _describe() -> str:
    hours = retention.in_words("by the hour older than", "RETENTION_METRICS")
    return f"by the minute older than 2 days, {hours}, by the day older than 5 years"


def _expired() -> QuerySet[MetricBucket]:
    now = timezone.now()
    gone = Q(resolution=MINUTE, rolled=True, start__lt=minutes_since(now))
    gone |= Q(resolution=DAY, start__lt=now - DAYS_KEPT)
    if since := retention.ago("RETENTION_METRICS"):
        # What is read by the hour is read from hours, also where there are minutes.
        gone |= Q(resolution=HOUR, start__lt=min(since, minutes_since(now)))
    return MetricBucket.objects.filter(gone)


def _forgotten() -> QuerySet[MetricSeries]:
    """Series of which nothing is left but their sum."""
    left = MetricBucket.objects.filter(series=OuterRef("pk"), resolution__gt=EVER)
    return MetricSeries.objects.filter(~Exists(left))


def _count() -> int:
    return _expired().count() + _forgotten().count()


def _delete(limit: int) -> retention.Deleted:
    ids = list(_expired().values_list("pk", flat=True)[:limit])
    rows, _ = MetricBucket.objects.filter(pk__in=ids).delete()
    if rows < limit:
        rows += _forget(limit - rows)
    return retention.Deleted(rows, more=rows >= limit)


def _forget(limit: int) -> int:
    """Delete series; who records one at the same moment waits, and makes it again."""
    found = list(
        _forgotten().select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit]
    )
    # Asked again: until it was locked, somebody may have recorded it.
    still = list(_forgotten().filter(pk__in=found).values_list("pk", flat=True))
    _, by_model = MetricSeries.objects.filter(pk__in=still).delete()
    return by_model.get(MetricSeries._meta.label, 0)  # noqa: SLF001 - a public name
