"""Where metrics are kept: series, and their buckets by minute, hour, day and for ever."""

from typing import Any, Final

from django.db import models

from observability import names

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86400
EVER: Final = 0


class MetricSeries(models.Model):
    """A name with one set of tags; `digest` is the SHA-256 of both."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=100)
    tags = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        verbose_name_plural = "metric series"
        ordering = ["name", "id"]
        indexes = [models.Index(fields=["name"], name="metric_series_name")]

    def __str__(self) -> str:
        tags: dict[str, Any] = self.tags
        return f"{self.name} {', '.join(f'{key}={value}' for key, value in tags.items())}".strip()


def why_unknown(name: str) -> str:
    """What to say of a metric that nothing records or has recorded; empty when something does."""
    recorded = "\0" not in name and MetricSeries.objects.filter(name=name).exists()
    if name in names.METRICS or recorded:
        return ""
    from difflib import get_close_matches

    near = get_close_matches(name[:100], names.METRICS, n=1)
    hint = f'Did you mean "{near[0]}"?' if near else "/api/metrics/names lists them."
    return f"There is no such metric. {hint}"


class MetricBucket(models.Model):
    """What one process has recorded of a series in a minute, or all of them in an hour or a day.

    A process replaces its own row of a minute until it is `rolled`: added to the rows of its hour,
    of its day, and for ever (which Prometheus is shown), whose `writer` is 0. So the rows of one of
    these resolutions, and the minutes that are not rolled, are together each sample once.
    `sketch` is :mod:`observability.sketch`'s; counters have none.
    """

    id = models.BigAutoField(primary_key=True)
    # Its index is that of the constraint below, which begins with it.
    series = models.ForeignKey(
        MetricSeries, on_delete=models.CASCADE, related_name="buckets", db_index=False
    )
    resolution = models.PositiveIntegerField(help_text="Seconds: 60, 3600, 86400, or 0 for ever.")
    start = models.DateTimeField()
    writer = models.BigIntegerField(default=0)
    rolled = models.BooleanField(default=False)
    count = models.PositiveBigIntegerField()
    sum = models.FloatField()
    min = models.FloatField()
    max = models.FloatField()
    sketch = models.BinaryField(default=b"")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["series", "resolution", "start", "writer"], name="metric_bucket_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(resolution__in=[EVER, MINUTE, HOUR, DAY]),
                name="metric_bucket_resolution",
            ),
        ]
        indexes = [
            models.Index(
                fields=["series", "start"],
                condition=models.Q(resolution=MINUTE, rolled=False),
                name="metric_bucket_unrolled",
            ),
            models.Index(fields=["resolution", "start"], name="metric_bucket_age"),
        ]

    def __str__(self) -> str:
        return f"{self.series} {self.start:%Y-%m-%d %H:%M}"
