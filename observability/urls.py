"""Pages below /, most of them for administrators."""

from django.urls import path

from observability.views import (
    alert_rules,
    alerts,
    channels,
    errors,
    health,
    metrics,
    prometheus,
    requests,
    traffic,
)

urlpatterns = [
    path("manage/errors", errors.manage_errors, name="manage_errors"),
    path("manage/errors/<uuid:pk>", errors.manage_error, name="manage_error"),
    path(
        "manage/errors/<uuid:pk>/resolve", errors.manage_error_resolve, name="manage_error_resolve"
    ),
    path("manage/errors/<uuid:pk>/ignore", errors.manage_error_ignore, name="manage_error_ignore"),
    path("manage/errors/<uuid:pk>/reopen", errors.manage_error_reopen, name="manage_error_reopen"),
    path("manage/alerts", alerts.manage_alerts, name="manage_alerts"),
    path("manage/alerts/<uuid:pk>", alerts.manage_alert, name="manage_alert"),
    path(
        "manage/alerts/silences/<uuid:pk>/end",
        alerts.manage_silence_end,
        name="manage_silence_end",
    ),
    path("manage/alerts/rules/new", alert_rules.manage_rule_create, name="manage_rule_create"),
    path("manage/alerts/rules/<uuid:pk>", alert_rules.manage_rule, name="manage_rule"),
    path(
        "manage/alerts/rules/<uuid:pk>/delete",
        alert_rules.manage_rule_delete,
        name="manage_rule_delete",
    ),
    path("manage/alerts/channels", channels.manage_channels, name="manage_channels"),
    path(
        "manage/alerts/channels/new", channels.manage_channel_create, name="manage_channel_create"
    ),
    path("manage/alerts/channels/<uuid:pk>", channels.manage_channel, name="manage_channel"),
    path(
        "manage/alerts/channels/<uuid:pk>/test",
        channels.manage_channel_test,
        name="manage_channel_test",
    ),
    path(
        "manage/alerts/channels/<uuid:pk>/delete",
        channels.manage_channel_delete,
        name="manage_channel_delete",
    ),
    path("manage/metrics", metrics.manage_metrics, name="manage_metrics"),
    path("manage/metrics/requests", requests.manage_requests, name="manage_requests"),
    path("manage/health", health.manage_health, name="manage_health"),
    path("metrics", prometheus.metrics, name="prometheus"),
    path("manage/traffic", traffic.manage_traffic, name="manage_traffic"),
]
