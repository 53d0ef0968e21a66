"""Alerts: rules, channels, silences, and what channels were told."""

import django.db.models.deletion
import django.utils.timezone
import hummbl.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "__first__"),
        ("observability", "0002_errors"),
    ]

    operations = [
        migrations.CreateModel(
            name="NotificationChannel",
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
                ("name", models.CharField(max_length=100, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("email", "E-mail"), ("webhook", "Webhook")], max_length=10
                    ),
                ),
                ("addresses", models.JSONField(blank=True, default=list)),
                ("host", models.CharField(blank=True, editable=False, max_length=255)),
                ("url_ciphertext", models.BinaryField(default=b"")),
                ("secret_ciphertext", models.BinaryField(default=b"")),
                ("is_active", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True), name="channel_has_name"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("host", ""), ("kind", "email")),
                            ("kind", "webhook"),
                            _connector="OR",
                        ),
                        name="channel_kind_valid",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Installed",
            fields=[
                ("name", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="AlertRule",
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
                (
                    "slug",
                    models.CharField(
                        blank=True, editable=False, help_text="Of a ready-made rule.", max_length=60
                    ),
                ),
                ("name", models.CharField(max_length=100, unique=True)),
                ("condition", models.CharField(blank=True, max_length=60)),
                ("metric", models.CharField(blank=True, max_length=100)),
                ("tags", models.JSONField(blank=True, default=dict)),
                (
                    "aggregate",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("count", "Number of samples"),
                            ("sum", "Sum"),
                            ("rate", "Sum per second"),
                            ("avg", "Average"),
                            ("min", "Minimum"),
                            ("max", "Maximum"),
                            ("p50", "p50"),
                            ("p95", "p95"),
                            ("p99", "p99"),
                        ],
                        max_length=10,
                    ),
                ),
                ("window_seconds", models.PositiveIntegerField(default=300)),
                ("min_samples", models.PositiveIntegerField(default=1)),
                (
                    "comparison",
                    models.CharField(
                        choices=[("above", "above"), ("below", "below")],
                        default="above",
                        max_length=10,
                    ),
                ),
                ("threshold", models.FloatField()),
                ("for_seconds", models.PositiveIntegerField(default=0)),
                ("repeat_seconds", models.PositiveIntegerField(default=14400)),
                (
                    "severity",
                    models.CharField(
                        choices=[
                            ("critical", "Critical"),
                            ("high", "High"),
                            ("medium", "Medium"),
                            ("low", "Low"),
                        ],
                        default="medium",
                        max_length=10,
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                ("value", models.FloatField(editable=False, null=True)),
                ("evaluated_at", models.DateTimeField(editable=False, null=True)),
                (
                    "notified_at",
                    models.DateTimeField(
                        editable=False,
                        help_text="When channels were last told that it fires.",
                        null=True,
                    ),
                ),
                (
                    "channels",
                    models.ManyToManyField(
                        blank=True,
                        help_text="None: all of them.",
                        related_name="rules",
                        to="observability.notificationchannel",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("slug", ""), _negated=True),
                        fields=("slug",),
                        name="alert_rule_slug_unique",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True), name="alert_rule_has_name"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                (
                                    "aggregate__in",
                                    [
                                        "count",
                                        "sum",
                                        "rate",
                                        "avg",
                                        "min",
                                        "max",
                                        "p50",
                                        "p95",
                                        "p99",
                                    ],
                                ),
                                ("condition", ""),
                                models.Q(("metric", ""), _negated=True),
                            ),
                            models.Q(
                                models.Q(("condition", ""), _negated=True),
                                ("aggregate", ""),
                                ("metric", ""),
                            ),
                            _connector="OR",
                        ),
                        name="alert_rule_reads_one_thing",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("comparison__in", ["above", "below"])),
                        name="alert_rule_comparison_valid",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("severity__in", ["critical", "high", "medium", "low"])),
                        name="alert_rule_severity_valid",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("window_seconds__gte", 60), ("window_seconds__lte", 86400)
                        ),
                        name="alert_rule_window_valid",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Alert",
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
                (
                    "rule",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="alerts",
                        to="observability.alertrule",
                    ),
                ),
                ("rule_name", models.CharField(max_length=100)),
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
                ("summary", models.CharField(help_text="The condition in words.", max_length=300)),
                ("unit", models.CharField(blank=True, max_length=20)),
                ("threshold", models.FloatField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("firing", "Firing"),
                            ("resolved", "Resolved"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("value", models.FloatField(help_text="The last reading that was too much.")),
                ("started_at", models.DateTimeField()),
                ("fired_at", models.DateTimeField(null=True)),
                ("resolved_at", models.DateTimeField(null=True)),
                (
                    "notified_at",
                    models.DateTimeField(
                        help_text="When channels were last told that it fires.", null=True
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
                "indexes": [
                    models.Index(fields=["-created_at", "-id"], name="alert_by_time"),
                    models.Index(fields=["state", "-created_at"], name="alert_by_state"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["pending", "firing"])),
                        fields=("rule",),
                        name="alert_one_open_per_rule",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["pending", "firing", "resolved"])),
                        name="alert_state_valid",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "resolved"), ("resolved_at__isnull", True), _connector="XOR"
                        ),
                        name="alert_resolved_iff_at",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "pending"), ("fired_at__isnull", False), _connector="XOR"
                        ),
                        name="alert_fired_iff_at",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("severity__in", ["critical", "high", "medium", "low"])),
                        name="alert_severity_valid",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Silence",
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
                (
                    "rule",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="silences",
                        to="observability.alertrule",
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("reason", models.CharField(max_length=200)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
                "indexes": [models.Index(fields=["ends_at"], name="silence_by_end")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                        name="silence_ends_after_start",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
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
                (
                    "alert",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="observability.alert",
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="deliveries",
                        to="observability.notificationchannel",
                    ),
                ),
                ("channel_name", models.CharField(max_length=100)),
                (
                    "event",
                    models.CharField(
                        choices=[
                            ("firing", "Firing"),
                            ("reminder", "Still firing"),
                            ("resolved", "Resolved"),
                            ("test", "Test"),
                        ],
                        max_length=10,
                    ),
                ),
                ("payload", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[("pending", "Waiting"), ("sent", "Sent"), ("failed", "Failed")],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("sent_at", models.DateTimeField(null=True)),
                ("error", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "verbose_name_plural": "deliveries",
                "ordering": ["-created_at", "-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "pending")),
                        fields=["next_attempt_at"],
                        name="delivery_due",
                    ),
                    models.Index(fields=["-created_at", "-id"], name="delivery_by_time"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("event__in", ["firing", "reminder", "resolved", "test"])
                        ),
                        name="delivery_event_valid",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["pending", "sent", "failed"])),
                        name="delivery_state_valid",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "sent"), ("sent_at__isnull", True), _connector="XOR"
                        ),
                        name="delivery_sent_iff_at",
                    ),
                ],
            },
        ),
    ]
