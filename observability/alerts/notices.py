"""What channels are told: one message, as it is sent to programs and written into mails."""

from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings
from django.urls import NoReverseMatch, reverse

from observability.alerts.quantities import quantity, span
from observability.models import (
    Alert,
    AlertRule,
    Delivery,
    DeliveryEvent,
    NotificationChannel,
)

_WORDS: Final = {
    DeliveryEvent.FIRING: "Firing",
    DeliveryEvent.REMINDER: "Still firing",
    DeliveryEvent.RESOLVED: "Resolved",
}


def tell(rule: AlertRule, alert: Alert, event: DeliveryEvent) -> None:
    """Put a message for each of the rule's channels into the outbox, in the caller's transaction.

    One that names channels tells those alone, and nobody when all of them are switched off.
    """
    named = list(rule.channels.all())
    channels = named or list(NotificationChannel.objects.active())
    payload = describe(alert, event)
    Delivery.objects.bulk_create(
        Delivery(
            alert=alert,
            channel=channel,
            channel_name=channel.name,
            event=event,
            payload=payload,
        )
        for channel in channels
        if channel.is_active
    )


def describe(alert: Alert, event: DeliveryEvent) -> dict[str, Any]:
    """The message. `text` is all that Slack and its likes show; the rest is for programs."""
    now = quantity(alert.value, alert.unit)
    title = f"{_WORDS[event]}: {alert.rule_name}"
    if event == DeliveryEvent.RESOLVED:
        detail = f"{alert.summary}. It lasted {span(alert.lasted.total_seconds())}."
    else:
        detail = f"Now {now}: {alert.summary}."
    link = _link("manage_alert", alert.pk)
    return {
        "text": " ".join(filter(None, [f"[{alert.severity}] {title}.", detail, link])),
        "event": event.value,
        "title": title,
        "alert": {
            "id": str(alert.pk),
            "rule_id": str(alert.rule_id),
            "rule": alert.rule_name,
            "severity": alert.severity,
            "state": alert.state,
            "summary": alert.summary,
            "value": alert.value,
            "unit": alert.unit,
            "threshold": alert.threshold,
            "started_at": _moment(alert.started_at),
            "fired_at": _moment(alert.fired_at),
            "resolved_at": _moment(alert.resolved_at),
        },
        "value": now,
        "url": link,
    }


def describe_test(channel: NotificationChannel) -> dict[str, Any]:
    """The message of the test button."""
    return {
        "text": f"Test of the channel “{channel.name}”: alerts will arrive here.",
        "event": DeliveryEvent.TEST.value,
        "title": f"Test of the channel “{channel.name}”",
        "alert": None,
        "value": "",
        "url": _link("manage_channels"),
    }


def _link(name: str, *args: Any) -> str:
    """The address of a page at SITE_URL: nobody asked us, so there is no other host to name."""
    if not settings.SITE_URL:
        return ""
    try:
        return f"{settings.SITE_URL}{reverse(name, args=args)}"
    except NoReverseMatch:
        return ""


def _moment(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="seconds") if at else None
