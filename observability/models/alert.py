"""What happened: a rule's condition held, for how long, and how far it went."""

from datetime import datetime, timedelta
from typing import Any, Final, Self
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils import timezone

from hummbl.models import BaseModel
from observability.alerts.quantities import quantity
from observability.models.alert_rule import AlertRule
from observability.models.severity import Severity

SUMMARY_LENGTH: Final = 300


class AlertState(models.TextChoices):
    """`pending` until it has held as long as its rule wants; `resolved` for good."""

    PENDING = "pending", "Pending"
    FIRING = "firing", "Firing"
    RESOLVED = "resolved", "Resolved"


class AlertQuerySet(models.QuerySet["Alert"]):
    """Alerts by state."""

    def open(self) -> Self:
        """Those whose condition holds."""
        return self.filter(state__in=(AlertState.PENDING, AlertState.FIRING))

    def firing(self) -> Self:
        """Those that somebody should look at."""
        return self.filter(state=AlertState.FIRING)

    def find(self, *, state: str = "", severity: str = "", rule: UUID | None = None) -> Self:
        """Those in that state, of that severity, of that rule; all where nothing is asked."""
        asked = {"state": state, "severity": severity, "rule": rule}
        return self.filter(**{name: value for name, value in asked.items() if value})


class Alert(BaseModel):
    """One time that a rule's condition held. Of each rule one is open at most.

    Name, severity and condition are as they were: alerts outlive their rule. One that never fired
    is not kept.
    """

    rule = models.ForeignKey(AlertRule, on_delete=models.SET_NULL, null=True, related_name="alerts")
    rule_name = models.CharField(max_length=100)
    severity = models.CharField(max_length=10, choices=Severity)
    summary = models.CharField(max_length=SUMMARY_LENGTH, help_text="The condition in words.")
    unit = models.CharField(max_length=20, blank=True)
    threshold = models.FloatField()
    state = models.CharField(max_length=10, choices=AlertState, default=AlertState.PENDING)
    value = models.FloatField(help_text="The last reading that was too much.")
    started_at = models.DateTimeField()
    fired_at: "models.DateTimeField[Any, datetime | None]" = models.DateTimeField(null=True)
    resolved_at: "models.DateTimeField[Any, datetime | None]" = models.DateTimeField(null=True)
    notified_at: "models.DateTimeField[Any, datetime | None]" = models.DateTimeField(
        null=True, help_text="When channels were last told that it fires."
    )

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule"],
                condition=Q(state__in=[AlertState.PENDING, AlertState.FIRING]),
                name="alert_one_open_per_rule",
            ),
            models.CheckConstraint(
                condition=Q(state__in=AlertState.values), name="alert_state_valid"
            ),
            models.CheckConstraint(
                condition=Q(state=AlertState.RESOLVED) ^ Q(resolved_at__isnull=True),
                name="alert_resolved_iff_at",
            ),
            models.CheckConstraint(
                condition=Q(state=AlertState.PENDING) ^ Q(fired_at__isnull=False),
                name="alert_fired_iff_at",
            ),
            models.CheckConstraint(
                condition=Q(severity__in=Severity.values), name="alert_severity_valid"
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="alert_by_time"),
            models.Index(fields=["state", "-created_at"], name="alert_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.rule_name}: {self.get_state_display().lower()}"

    @property
    def shown_value(self) -> str:
        """The last reading that was too much, with its unit."""
        return quantity(self.value, self.unit)

    @property
    def lasted(self) -> timedelta:
        """From its first reading to its end, or until now."""
        # The clock may have been set back.
        return max(timedelta(0), (self.resolved_at or timezone.now()) - self.started_at)

    @classmethod
    def begin(cls, rule: AlertRule, value: float, at: datetime) -> "Alert":
        """A condition that holds since now. Call it with the rule's row held."""
        return cls.objects.create(
            rule=rule,
            rule_name=rule.name,
            severity=rule.severity,
            summary=rule.summary[:SUMMARY_LENGTH],
            unit=rule.unit,
            threshold=rule.threshold,
            value=value,
            started_at=at,
        )

    def hold(self, value: float) -> None:
        """The condition holds still, with this reading."""
        self.value = value
        self.save(update_fields=["value", "updated_at"])

    def fire(self, at: datetime) -> None:
        """It has held as long as the rule wants."""
        self.state, self.fired_at = AlertState.FIRING, at
        self.save(update_fields=["state", "fired_at", "updated_at"])

    def end(self, at: datetime) -> None:
        """The condition holds no longer. One that never fired is not kept."""
        if self.state == AlertState.PENDING:
            self.delete()
            return
        self.state, self.resolved_at = AlertState.RESOLVED, at
        self.save(update_fields=["state", "resolved_at", "updated_at"])
