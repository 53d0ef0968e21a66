"""A past for charts: buckets written without recording each sample."""

import random
from datetime import datetime, timedelta

from observability.models import MetricBucket, MetricSeries
from observability.sketch import of, pack
from observability.store import digest


def make_series(name, **tags) -> MetricSeries:
    """The series of these tags."""
    key = (name, tuple(sorted(tags.items())))
    found, _ = MetricSeries.objects.get_or_create(
        digest=digest(key), defaults={"name": name, "tags": tags}
    )
    return found


def make_bucket(series, start, values, resolution=60) -> MetricBucket:
    """A bucket of these samples, not saved."""
    return MetricBucket(
        series=series,
        resolution=resolution,
        start=start,
        writer=0 if resolution > 60 else 1,
        count=len(values),
        sum=sum(values),
        min=min(values),
        max=max(values),
        sketch=pack(of(values)),
    )


def make_history(name, end, spans, draw, *, resolution=60, **tags) -> None:
    """So many buckets up to `end`; `draw(age)` gives the samples of the one that many back."""
    series = make_series(name, **tags)
    start = datetime.fromtimestamp(end.timestamp() // resolution * resolution, end.tzinfo)
    rows = []
    for age in range(spans):
        if values := draw(age):
            at = start - timedelta(seconds=resolution * age)
            rows.append(make_bucket(series, at, values, resolution))
    MetricBucket.objects.bulk_create(rows, batch_size=2000)


def noise(seed, typical, samples=20):
    """Durations like those of a site: most near `typical` seconds, few much longer."""
    dice = random.Random(seed)
    return lambda _age: [dice.lognormvariate(0, 0.6) * typical for _ in range(samples)]
