"""Something to look at: an alert that fires, another that is over, and who was told."""

from datetime import timedelta

from django.utils import timezone

from observability.alerts import notices
from observability.models import (
    Alert,
    AlertRule,
    Delivery,
    DeliveryEvent,
    NotificationChannel,
    Silence,
)


def make_alert():
    """The alert that fires, and the channel that was told."""
    now = timezone.now()
    channel = NotificationChannel.objects.create(
        name="On call, in the chat of the team", kind="webhook", host="hooks.example.com"
    )
    rule = AlertRule.objects.create(
        name="Answers of the list of workflows are slower than people bear",
        metric="request.duration",
        aggregate="p95",
        tags={"route": "/api/workflows"},
        threshold=0.5,
        value=1.3,
        evaluated_at=now,
        severity="critical",
    )
    over = Alert.begin(rule, 0.9, now - timedelta(hours=30))
    over.fire(now - timedelta(hours=29))
    over.end(now - timedelta(hours=28))
    alert = Alert.begin(rule, 1.3, now - timedelta(minutes=12))
    alert.fire(now - timedelta(minutes=10))
    notices.tell(rule, alert, DeliveryEvent.FIRING)
    failed = Delivery.objects.filter(channel=channel).get()
    failed.claim()
    failed.fail("It answers 404.", for_good=True)
    ends_at = now + timedelta(hours=2)
    Silence.objects.create(rule=None, starts_at=now, ends_at=ends_at, reason="Moving house")
    return alert, channel
