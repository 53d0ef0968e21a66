"""What alerts keep for a time only: those that are over, what was told of them, old silences."""

from typing import Any, Final

from django.db.models import QuerySet

from hummbl import retention

SETTING: Final = "RETENTION_ALERTS"


def register() -> None:
    """Have `manage.py cleanup` delete it."""
    for name, what, expired in (
        ("alert deliveries", "messages about alerts older than", _deliveries),
        ("alerts", "that ended longer ago than", _alerts),
        ("alert silences", "that ended longer ago than", _silences),
    ):
        retention.register_rows(name, _described(what), expired)


def _described(what: str) -> Any:
    return lambda: retention.in_words(what, SETTING)


def _deliveries() -> "QuerySet[Any]":
    from observability.models import Delivery, DeliveryState

    rows = Delivery.objects.exclude(state=DeliveryState.PENDING).order_by("created_at")
    return _before(rows, "created_at")


def _alerts() -> "QuerySet[Any]":
    from observability.models import Alert

    # Messages go first: they depend on their alert.
    rows = Alert.objects.filter(deliveries__isnull=True).order_by("resolved_at")
    return _before(rows, "resolved_at")


def _silences() -> "QuerySet[Any]":
    from observability.models import Silence

    return _before(Silence.objects.order_by("ends_at"), "ends_at")


def _before(rows: "QuerySet[Any]", column: str) -> "QuerySet[Any]":
    kept_since = retention.ago(SETTING)
    return rows.none() if kept_since is None else rows.filter(**{f"{column}__lt": kept_since})
