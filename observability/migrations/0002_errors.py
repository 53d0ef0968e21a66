"""Errors: groups, their reports, their counts by hour, and who met them."""

import django.db.models.deletion
import hummbl.models
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("observability", "0001_metrics"),
    ]

    operations = [
        migrations.CreateModel(
            name="ErrorGroup",
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
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("fingerprint", models.CharField(max_length=64, unique=True)),
                ("version", models.PositiveSmallIntegerField()),
                ("parts", models.JSONField(default=list)),
                ("title", models.CharField(max_length=200)),
                (
                    "culprit",
                    models.CharField(blank=True, help_text="Where it happened.", max_length=200),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("request", "Request"),
                            ("task", "Task"),
                            ("worker", "Worker"),
                            ("command", "Command"),
                            ("browser", "Browser"),
                            ("visitor", "Visitor"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "severity",
                    models.CharField(
                        choices=[
                            ("critical", "Critical"),
                            ("high", "High"),
                            ("medium", "Medium"),
                            ("low", "Low"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("resolved", "Resolved"),
                            ("ignored", "Ignored"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("resolved_at", models.DateTimeField(null=True)),
                ("resolved_in", models.CharField(blank=True, max_length=100)),
                (
                    "regressed_at",
                    models.DateTimeField(help_text="When it came back last.", null=True),
                ),
                ("first_seen", models.DateTimeField()),
                ("last_seen", models.DateTimeField()),
                ("first_release", models.CharField(blank=True, max_length=100)),
                ("last_release", models.CharField(blank=True, max_length=100)),
                ("count", models.PositiveBigIntegerField(default=0)),
                ("users_count", models.PositiveIntegerField(default=0, help_text="At most 1000.")),
            ],
            options={
                "ordering": ["-last_seen", "-id"],
                "indexes": [
                    models.Index(fields=["-last_seen", "-id"], name="error_group_by_time"),
                    models.Index(
                        fields=["status", "-last_seen", "-id"], name="error_group_by_status"
                    ),
                    models.Index(fields=["source", "first_seen"], name="error_group_new"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "source__in",
                                ["request", "task", "worker", "command", "browser", "visitor"],
                            )
                        ),
                        name="error_group_source",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("severity__in", ["critical", "high", "medium", "low"])),
                        name="error_group_severity",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["open", "resolved", "ignored"])),
                        name="error_group_status",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("resolved_at__isnull", False), ("status", "resolved")),
                            models.Q(
                                models.Q(("status", "resolved"), _negated=True),
                                ("resolved_at", None),
                                ("resolved_in", ""),
                            ),
                            _connector="OR",
                        ),
                        name="error_group_resolved",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ErrorHour",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("hour", models.DateTimeField()),
                ("count", models.PositiveBigIntegerField(default=0)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="hours",
                        to="observability.errorgroup",
                    ),
                ),
            ],
            options={
                "ordering": ["hour"],
                "indexes": [models.Index(fields=["hour"], name="error_hour_age")],
                "constraints": [
                    models.UniqueConstraint(fields=("group", "hour"), name="error_hour_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="ErrorReport",
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
                ("at", models.DateTimeField()),
                ("message", models.TextField()),
                ("stack", models.JSONField(default=list)),
                ("context", models.JSONField(default=dict)),
                ("release", models.CharField(blank=True, max_length=100)),
                ("request_id", models.CharField(blank=True, max_length=64)),
                ("user_id", models.UUIDField(null=True)),
                ("execution_id", models.UUIDField(null=True)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reports",
                        to="observability.errorgroup",
                    ),
                ),
            ],
            options={
                "ordering": ["-at", "-id"],
                "indexes": [
                    models.Index(fields=["group", "-at", "-id"], name="error_report_by_group"),
                    models.Index(fields=["at"], name="error_report_age"),
                    models.Index(
                        condition=models.Q(("request_id", ""), _negated=True),
                        fields=["request_id"],
                        name="error_report_request",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ErrorUser",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("user_id", models.UUIDField()),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="users",
                        to="observability.errorgroup",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("group", "user_id"), name="error_user_unique")
                ],
            },
        ),
    ]
