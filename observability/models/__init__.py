"""The tables of the observability app."""

from observability.models.alert import Alert, AlertState
from observability.models.alert_channel import ChannelKind, NotificationChannel
from observability.models.alert_delivery import Delivery, DeliveryEvent, DeliveryState
from observability.models.alert_rule import Aggregate, AlertRule, Comparison, Installed
from observability.models.alert_silence import Silence
from observability.models.error import (
    ErrorGroup,
    ErrorHour,
    ErrorReport,
    ErrorSource,
    ErrorStatus,
    ErrorUser,
)
from observability.models.metric import MetricBucket, MetricSeries
from observability.models.release import Release
from observability.models.request_sample import RequestSample
from observability.models.severity import Severity

__all__ = [
    "Aggregate",
    "Alert",
    "AlertRule",
    "AlertState",
    "ChannelKind",
    "Comparison",
    "Delivery",
    "DeliveryEvent",
    "DeliveryState",
    "ErrorGroup",
    "ErrorHour",
    "ErrorReport",
    "ErrorSource",
    "ErrorStatus",
    "ErrorUser",
    "Installed",
    "MetricBucket",
    "MetricSeries",
    "NotificationChannel",
    "Release",
    "RequestSample",
    "Severity",
    "Silence",
]
