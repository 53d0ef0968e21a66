"""What looking costs: recording a sample, writing thousands a second, reading percentiles."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from benchmarks.figures import percentile
from benchmarks.skipping import Skipped
from hummbl import garbage
from observability import metrics, names, series, sketch
from observability.models import MetricBucket, MetricSeries
from observability.models.metric import HOUR
from observability.store import digest

OURS = "ours"
ROUTE = "/api/workflows/{id}"
Insert = Callable[[float], object]


def record(calls: int, rounds: int) -> dict[str, float]:
    """By contender: nanoseconds of processor time for one sample, the best of so many rounds.

    With three tags, which ddsketch and fastdigest do not know. Ours includes what the flush does
    with the sample later, but for the database.
    """
    values = _durations(calls)
    return {
        label: min(_cost(make(), values) for _ in range(rounds))
        for label, make in _contenders().items()
    }


def _durations(count: int) -> list[float]:
    draw = random.Random(7)
    return [draw.lognormvariate(-3, 1) for _ in range(count)]


def _contenders() -> dict[str, Callable[[], Insert]]:
    try:
        import ddsketch
        import fastdigest
        import prometheus_client
    except ImportError as missing:
        raise Skipped(f"{missing.name} is not installed") from None

    def prometheus() -> Insert:
        registry = prometheus_client.CollectorRegistry()
        histogram = prometheus_client.Histogram(
            "duration", "Seconds", ["route", "method", "status"], registry=registry
        )

        def insert(value: float) -> None:
            histogram.labels(route=ROUTE, method="GET", status="2xx").observe(value)

        return insert

    return {
        OURS: lambda: _insert,
        "ddsketch": lambda: ddsketch.DDSketch(sketch.ERROR).add,
        "prometheus_client": prometheus,
        "fastdigest": lambda: fastdigest.TDigest().update,
    }


def _insert(value: float) -> None:
    metrics.record(names.REQUEST_DURATION, value, route=ROUTE, method="GET", status="2xx")


def _cost(insert: Insert, values: list[float]) -> float:
    settings.METRICS_FLUSH_SECONDS = 3600  # whoever measures takes
    begun = time.process_time()
    for value in values:
        insert(value)
    if insert is _insert:
        metrics._buffer.take()
    return 1e9 * (time.process_time() - begun) / len(values)


def ingest(rate: int, seconds: int, tag_sets: int) -> dict[str, float]:
    """The share of a core that so many samples a second take, written every five seconds."""
    settings.METRICS_FLUSH_SECONDS = 0
    values = _durations(rate * 5)
    routes = [f"/api/{number}" for number in range(tag_sets)]
    metrics.record(names.REQUEST_DURATION, 1, route="first")
    metrics.flush()
    begun = time.process_time()
    for _ in range(seconds // 5):
        for number, value in enumerate(values):
            metrics.record(names.REQUEST_DURATION, value, route=routes[number % tag_sets])
        metrics.flush()
    used = time.process_time() - begun
    return {"share": used / seconds, "microseconds": 1e6 * used / (len(values) * (seconds // 5))}


def read(days: int, tag_sets: int, samples: int, repeat: int) -> dict[str, float]:
    """Milliseconds for p50, p95 and p99 of each hour: of all tag sets together, and of each."""
    now = timezone.now()
    _fill(now, days, tag_sets, samples)
    garbage.settle()  # as web processes do
    start = now - timedelta(days=days)

    def ask(group_by: list[str]) -> float:
        begun = time.perf_counter()
        points = series.points(names.REQUEST_DURATION, start, now, HOUR, group_by=group_by)
        for point in points:
            assert all(point.summary.percentiles(0.5, 0.95, 0.99))
        return 1000 * (time.perf_counter() - begun)

    together, each = ([ask(tags) for _ in range(repeat)] for tags in ([], ["route"]))
    return {"together": percentile(together, 50), "each": percentile(each, 50)}


def _fill(now: datetime, days: int, tag_sets: int, samples: int) -> None:
    draw = random.Random(11)
    last = int(now.timestamp()) // HOUR
    shapes = [_shape(draw, samples) for _ in range(50)]
    for number in range(tag_sets):
        tags = {"method": "GET", "route": f"/api/{number}", "status": "2xx"}
        row = MetricSeries.objects.create(
            name=names.REQUEST_DURATION,
            tags=tags,
            digest=digest((names.REQUEST_DURATION, tuple(tags.items()))),
        )
        MetricBucket.objects.bulk_create(
            MetricBucket(
                series=row,
                resolution=HOUR,
                start=datetime.fromtimestamp(hour * HOUR, UTC),
                **draw.choice(shapes),
            )
            for hour in range(last - 24 * days, last)
        )


def _shape(draw: random.Random, samples: int) -> dict[str, Any]:
    values = [draw.lognormvariate(draw.uniform(-4, -2), 0.7) for _ in range(samples)]
    return {
        "count": len(values),
        "sum": sum(values),
        "min": min(values),
        "max": max(values),
        "sketch": sketch.pack(sketch.of(values)),
    }
