"""Requests worth a look, and releases."""

import django.utils.timezone
from django.db import migrations, models

import hummbl.models


class Migration(migrations.Migration):
    dependencies = [
        ("observability", "0003_alerts"),
    ]

    operations = [
        migrations.CreateModel(
            name="Release",
            fields=[
                ("name", models.CharField(max_length=100, primary_key=True, serialize=False)),
                ("first_seen", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ["-first_seen"],
            },
        ),
        migrations.CreateModel(
            name="RequestSample",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=hummbl.models.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("at", models.DateTimeField(help_text="When it was answered.")),
                ("route", models.CharField(max_length=200)),
                ("method", models.CharField(max_length=10)),
                ("path", models.CharField(max_length=500)),
                ("status", models.PositiveSmallIntegerField()),
                ("seconds", models.FloatField()),
                ("queries", models.PositiveIntegerField()),
                ("request_id", models.CharField(blank=True, max_length=64)),
                ("user_id", models.UUIDField(null=True)),
            ],
            options={
                "ordering": ["-at", "-id"],
                "indexes": [
                    models.Index(fields=["at"], name="request_sample_at"),
                    models.Index(fields=["route", "at"], name="request_sample_route"),
                ],
            },
        ),
    ]
