"""Our metrics as Prometheus reads them, from the tables: of all processes and machines alike.

The rows of resolution 0 and the minutes that are not added to them yet hold each sample once, and
one statement reads both, so counters only grow, whichever process answers. Buckets end at powers of
two, which are edges of the sketch too: their counts are exact.
"""

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from django.db import connection
from django.utils import timezone

from observability import health, names, rows
from observability.exposition import head, histogram, labelled, sample
from observability.models import MetricBucket
from observability.models.metric import EVER, MINUTE
from observability.names import Metric
from observability.sketch import OFFSET, at_most

# Buckets end at 2^first to 2^last of the metric's unit, and at infinity.
EDGES: Final = {
    names.REQUEST_DURATION: (-10, 6),
    names.DB_QUERY_DURATION: (-14, 4),
    names.DB_SLOW_QUERIES: (-4, 6),
    names.EXECUTION_DURATION: (-6, 12),
    names.TASK_DURATION: (-6, 12),
    names.AI_CALL_DURATION: (-6, 10),
    names.QUEUE_LAG: (-10, 12),
}
ANY_EDGES: Final = (-10, 12)
# Too many values for a label, and too long ones: their series are added up.
LEFT_OUT: Final = frozenset({"statement"})
# How old a gauge may be: it is written once a minute.
GAUGE_AGE: Final = timedelta(minutes=5)
# 32 buckets of a sketch are one of these.
BUCKETS_PER_EDGE: Final = 32

_UNITS: Final = {
    "seconds": "seconds",
    "bytes": "bytes",
    "tokens": "tokens",
    "US dollars": "dollars",
}
_UNFIT: Final = re.compile(r"[^a-zA-Z0-9_]")

Labels = tuple[tuple[str, str], ...]
Row = tuple[str, dict[str, str], int, float, bytes]


@dataclass(slots=True)
class _Sum:
    """The samples of all series that have the same labels here."""

    count: int = 0
    sum: float = 0.0
    sketches: list[bytes] = field(default_factory=list)

    def add(self, count: int, total: float, sketch: bytes) -> None:
        self.count += count
        self.sum += total
        if sketch:
            self.sketches.append(sketch)


def exported_name(metric: Metric) -> str:
    """What a metric is called there, without the `_total` of counters.

    `request.duration`, in seconds, is `hummbl_request_duration_seconds`.
    """
    base = "hummbl_" + _UNFIT.sub("_", metric.name.removesuffix(".count"))
    unit = _UNITS.get(metric.unit, "")
    return f"{base}_{unit}" if unit and not base.endswith(f"_{unit}") else base


def exposition() -> bytes:
    """Everything, as text of the version in `CONTENT_TYPE`."""
    reading = health.read()
    lines = list(_health(reading))
    if reading.status != health.DOWN:
        lines += _told([*_counted(), *_gauges()])
    return "".join(lines).encode() + _django_metrics()


def _counted() -> Iterator[Row]:
    """All rows that are each sample once; of gauges that would mean nothing."""
    gauges = _of_kind("gauge")
    every = f"{_rows(EVER)} UNION ALL {_rows(MINUTE)} AND NOT b.rolled"
    for name, tags, count, total, sketch in rows.read(every):
        if name not in gauges:
            yield name, json.loads(tags), count, total, sketch


def _rows(resolution: int) -> str:
    """SQL for the rows of a resolution, with numbers as they stand in the index of the unrolled.

    SQLite would else read all minutes that are kept, to find the few that are not rolled up.
    """
    is_told = connection.vendor == "sqlite" and resolution == MINUTE
    hint = " INDEXED BY metric_bucket_unrolled" if is_told else ""
    return (
        "SELECT s.name, CAST(s.tags AS text), b.count, b.sum, b.sketch "  # noqa: S608 - constants
        f"FROM observability_metricbucket b{hint} "
        "CROSS JOIN observability_metricseries s WHERE s.id = b.series_id "
        f"AND b.resolution = {resolution}"
    )


def _gauges() -> list[Row]:
    """The newest minute of each gauge."""
    found = MetricBucket.objects.filter(
        resolution=MINUTE,
        start__gt=timezone.now() - GAUGE_AGE,
        series__name__in=_of_kind("gauge"),
    ).order_by("start", "id")
    columns = ("series__name", "series__tags", "count", "sum", "sketch")
    newest: dict[int, Row] = {
        series: (name, tags, count, total, sketch)
        for series, name, tags, count, total, sketch in found.values_list("series_id", *columns)
    }
    return list(newest.values())


def _of_kind(kind: str) -> list[str]:
    return [metric.name for metric in names.METRICS.values() if metric.kind == kind]


def _told(counted: Iterable[Row]) -> Iterator[str]:
    """The rows summed up by name and labels, as lines."""
    sums: dict[str, dict[Labels, _Sum]] = defaultdict(lambda: defaultdict(_Sum))
    for name, tags, count, total, sketch in counted:
        sums[name][_labels(tags)].add(count, total, sketch)
    taken: set[str] = set()
    for name in sorted(sums):
        metric = names.describe(name)
        # Names may be anything: two that are one here would make the answer unreadable.
        if (exported := exported_name(metric)) not in taken:
            taken.add(exported)
            yield from _lines(metric, exported, sums[name])


def _labels(tags: dict[str, str]) -> Labels:
    pairs = {_label(key): str(value) for key, value in tags.items() if key not in LEFT_OUT}
    return tuple(sorted(pairs.items()))


def _label(key: str) -> str:
    """The tag's key; what Prometheus keeps for itself gets another beginning."""
    fit = _UNFIT.sub("_", key)
    return f"tag_{fit}" if fit == "le" or fit.startswith("__") or not fit[:1].isalpha() else fit


def _lines(metric: Metric, exported: str, sums: dict[Labels, _Sum]) -> Iterator[str]:
    name = f"{exported}_total" if metric.kind == "counter" else exported
    yield head(name, metric.kind, metric.help or f"Recorded as {metric.name}")
    first, last = EDGES.get(metric.name, ANY_EDGES)
    bounds = [2.0**edge for edge in range(first, last + 1)]
    keys = [OFFSET + BUCKETS_PER_EDGE * edge for edge in range(first, last + 1)]
    for pairs, found in sorted(sums.items()):
        labels = labelled(pairs)
        if metric.kind == "histogram":
            buckets = zip(bounds, at_most(found.sketches, keys), strict=True)
            yield from histogram(name, labels, buckets, found.count, found.sum)
        else:
            value = found.sum / found.count if metric.kind == "gauge" else found.sum
            yield sample(name, labels, value)


def _health(reading: health.Health) -> Iterator[str]:
    up = reading.status == health.OPERATIONAL
    yield head("hummbl_up", "gauge", "Whether /api/health says operational")
    yield sample("hummbl_up", "", int(up))
    yield head("hummbl_health", "gauge", "Whether a check of /api/health is healthy")
    for name, result in {"database": reading.database, **reading.checks}.items():
        is_healthy = result["status"] == health.HEALTHY
        yield sample("hummbl_health", labelled([("check", name)]), int(is_healthy))
    pending = reading.database["pending_migrations"]
    if pending is not None:
        yield head("hummbl_migrations_pending", "gauge", "Migrations to be applied")
        yield sample("hummbl_migrations_pending", "", pending)


def _django_metrics() -> bytes:
    """What django-prometheus counts in the processes of this gunicorn, which share a folder."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return b""
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
