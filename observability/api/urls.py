"""Routes below /api/."""

from django.urls import path

from observability.api import errors
from observability.api.alert_rules import RulesView, RuleView
from observability.api.alerts import AlertsView, AlertView, SilencesView, SilenceView
from observability.api.channels import ChannelsView, ChannelTestView, ChannelView
from observability.api.health import HealthView, LiveView, ReadyView
from observability.api.metrics import MetricNamesView, MetricsView
from observability.api.telemetry import TelemetryView

urlpatterns = [
    path("alerts", AlertsView.as_view(), name="api_alerts"),
    path("alerts/<uuid:pk>", AlertView.as_view(), name="api_alert"),
    path("alert-rules", RulesView.as_view(), name="api_alert_rules"),
    path("alert-rules/<uuid:pk>", RuleView.as_view(), name="api_alert_rule"),
    path("alert-silences", SilencesView.as_view(), name="api_alert_silences"),
    path("alert-silences/<uuid:pk>", SilenceView.as_view(), name="api_alert_silence"),
    path("channels", ChannelsView.as_view(), name="api_channels"),
    path("channels/<uuid:pk>", ChannelView.as_view(), name="api_channel"),
    path("channels/<uuid:pk>/test", ChannelTestView.as_view(), name="api_channel_test"),
    path("health", HealthView.as_view(), name="api_health"),
    path("health/live", LiveView.as_view(), name="api_health_live"),
    path("health/ready", ReadyView.as_view(), name="api_health_ready"),
    path("errors", errors.ErrorsView.as_view(), name="api_errors"),
    path("errors/<uuid:pk>", errors.ErrorView.as_view(), name="api_error"),
    path("errors/<uuid:pk>/resolve", errors.ResolveView.as_view(), name="api_error_resolve"),
    path("errors/<uuid:pk>/ignore", errors.IgnoreView.as_view(), name="api_error_ignore"),
    path("errors/<uuid:pk>/reopen", errors.ReopenView.as_view(), name="api_error_reopen"),
    path("metrics", MetricsView.as_view(), name="api_metrics"),
    path("metrics/names", MetricNamesView.as_view(), name="api_metric_names"),
    path("telemetry", TelemetryView.as_view(), name="api_telemetry"),
]
