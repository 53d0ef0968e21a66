"""Metrics: series, and their buckets by minute, hour, day and for ever."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="MetricSeries",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                ("tags", models.JSONField(default=dict)),
                ("digest", models.CharField(max_length=64, unique=True)),
            ],
            options={
                "verbose_name_plural": "metric series",
                "ordering": ["name", "id"],
                "indexes": [models.Index(fields=["name"], name="metric_series_name")],
            },
        ),
        migrations.CreateModel(
            name="MetricBucket",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "resolution",
                    models.PositiveIntegerField(
                        help_text="Seconds: 60, 3600, 86400, or 0 for ever."
                    ),
                ),
                ("start", models.DateTimeField()),
                ("writer", models.BigIntegerField(default=0)),
                ("rolled", models.BooleanField(default=False)),
                ("count", models.PositiveBigIntegerField()),
                ("sum", models.FloatField()),
                ("min", models.FloatField()),
                ("max", models.FloatField()),
                ("sketch", models.BinaryField(default=b"")),
                (
                    "series",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="buckets",
                        to="observability.metricseries",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("resolution", 60), ("rolled", False)),
                        fields=["series", "start"],
                        name="metric_bucket_unrolled",
                    ),
                    models.Index(fields=["resolution", "start"], name="metric_bucket_age"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("series", "resolution", "start", "writer"),
                        name="metric_bucket_unique",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("resolution__in", [0, 60, 3600, 86400])),
                        name="metric_bucket_resolution",
                    ),
                ],
            },
        ),
    ]
