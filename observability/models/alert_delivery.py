"""What channels are told: the outbox of alerts, and its history."""

import random
from datetime import datetime, timedelta
from typing import Any, Final, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from hummbl.models import BaseModel
from observability.models.alert import Alert
from observability.models.alert_channel import NotificationChannel

MOST_ATTEMPTS: Final = 5
FIRST_PAUSE: Final = 60.0  # seconds
# How long an attempt may take before others take it for lost; sending gives up earlier.
LEASE: Final = timedelta(minutes=2)
# Further ahead no attempt is ever put off.
LONGEST_PAUSE: Final = timedelta(hours=1)
ERROR_LENGTH: Final = 300


class DeliveryEvent(models.TextChoices):
    """What a channel is told."""

    FIRING = "firing", "Firing"
    REMINDER = "reminder", "Still firing"
    RESOLVED = "resolved", "Resolved"
    TEST = "test", "Test"


class DeliveryState(models.TextChoices):
    """Whether it arrived: `failed` is for good, after the last attempt."""

    PENDING = "pending", "Waiting"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Deliveries by what is to be done."""

    def due(self) -> Self:
        """Those to try now, the oldest first."""
        now = timezone.now()
        # What waits longer than anything does waits since before the clock was set back.
        due = Q(next_attempt_at__lte=now) | Q(next_attempt_at__gt=now + LONGEST_PAUSE)
        return self.filter(due, state=DeliveryState.PENDING).order_by("next_attempt_at")


class Delivery(BaseModel):
    """One message to one channel. `payload` is what it says; its id is the idempotency key.

    Whoever moves `next_attempt_at` on has claimed an attempt: a sender that dies leaves it to the
    next one, so a message may arrive twice and is never forgotten.
    """

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, null=True, related_name="deliveries")
    channel = models.ForeignKey(
        NotificationChannel, on_delete=models.SET_NULL, null=True, related_name="deliveries"
    )
    channel_name = models.CharField(max_length=100)
    event = models.CharField(max_length=10, choices=DeliveryEvent)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at: "models.DateTimeField[Any, datetime]" = models.DateTimeField(
        default=timezone.now
    )
    sent_at: "models.DateTimeField[Any, datetime | None]" = models.DateTimeField(null=True)
    error = models.CharField(max_length=ERROR_LENGTH, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(event__in=DeliveryEvent.values), name="delivery_event_valid"
            ),
            models.CheckConstraint(
                condition=Q(state__in=DeliveryState.values), name="delivery_state_valid"
            ),
            models.CheckConstraint(
                condition=Q(state=DeliveryState.SENT) ^ Q(sent_at__isnull=True),
                name="delivery_sent_iff_at",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(state=DeliveryState.PENDING),
                name="delivery_due",
            ),
            models.Index(fields=["-created_at", "-id"], name="delivery_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.get_event_display()} to {self.channel_name}"

    def claim(self) -> bool:
        """Whether the next attempt is the caller's; one claims it, however many try."""
        ahead = timezone.now() + LEASE
        waiting = Delivery.objects.filter(
            pk=self.pk, state=DeliveryState.PENDING, attempts=self.attempts
        )
        if waiting.update(attempts=self.attempts + 1, next_attempt_at=ahead) != 1:
            return False
        self.attempts += 1
        return True

    def succeed(self) -> None:
        """The attempt arrived."""
        self._finish(state=DeliveryState.SENT, sent_at=timezone.now(), error="")

    def fail(self, reason: str, *, for_good: bool = False) -> None:
        """The attempt did not arrive: another follows, unless it was the last one."""
        error = reason[:ERROR_LENGTH]
        if for_good or self.attempts >= MOST_ATTEMPTS:
            self._finish(state=DeliveryState.FAILED, error=error)
        else:
            self._finish(next_attempt_at=timezone.now() + backoff(self.attempts), error=error)

    def _finish(self, **values: Any) -> None:
        # Not what a later attempt of another process has written meanwhile.
        mine = Delivery.objects.filter(
            pk=self.pk, state=DeliveryState.PENDING, attempts=self.attempts
        )
        mine.update(updated_at=timezone.now(), **values)
        for name, value in values.items():
            setattr(self, name, value)


def backoff(attempts: int) -> timedelta:
    """How long to wait after so many attempts: up to 1, 3, 9 and 27 minutes, with full jitter."""
    most = FIRST_PAUSE * 3 ** (attempts - 1)
    return timedelta(seconds=random.uniform(0, most))  # noqa: S311 - spreads load, hides nothing
