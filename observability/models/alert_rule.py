"""What is watched, and when it is too much."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Self

from django.apps import apps
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts import audit
from accounts.models import Action, User
from hummbl.errors import Conflict, InvalidField
from hummbl.models import BaseModel
from observability import names
from observability.alerts import conditions
from observability.alerts.quantities import quantity, span
from observability.models.alert_channel import NotificationChannel
from observability.models.metric import why_unknown
from observability.models.severity import Severity

SHORTEST_WINDOW: Final = 60
LONGEST_WINDOW: Final = 86400
SHORTEST_REPEAT: Final = 300
LONGEST_REPEAT: Final = 7 * 86400
MOST_RULES: Final = 200
MOST_TAGS: Final = 10
MOST_TAG_LENGTH: Final = 200


class Aggregate(models.TextChoices):
    """What is made of a metric's samples in the window."""

    COUNT = "count", "Number of samples"
    SUM = "sum", "Sum"
    RATE = "rate", "Sum per second"
    AVG = "avg", "Average"
    MIN = "min", "Minimum"
    MAX = "max", "Maximum"
    P50 = "p50", "p50"
    P95 = "p95", "p95"
    P99 = "p99", "p99"


# As a share of the samples that lie below.
PERCENTILES: Final = {
    Aggregate.P50.value: 0.5,
    Aggregate.P95.value: 0.95,
    Aggregate.P99.value: 0.99,
}


class Comparison(models.TextChoices):
    """On which side of the threshold it is too much."""

    ABOVE = "above", "above"
    BELOW = "below", "below"


class InvalidRule(InvalidField):
    """A rule that makes no sense as it was given."""

    code = "invalid_rule"


class AlertRuleQuerySet(models.QuerySet["AlertRule"]):
    """Rules by whether they are watched."""

    def active(self) -> Self:
        """Those that are evaluated."""
        return self.filter(is_active=True)

    def with_state(self) -> Self:
        """With `open_state`, the state of the open alert, if there is one."""
        open_alerts = apps.get_model("observability", "Alert").objects.open()
        of_rule = open_alerts.filter(rule=models.OuterRef("pk"))
        return self.annotate(open_state=models.Subquery(of_rule.values("state")[:1]))


class AlertRule(BaseModel):
    """A condition that other code registers, or an aggregate of a metric; and its threshold.

    `condition` is the slug of one in :mod:`observability.alerts.conditions`; without it `metric`,
    `tags` and `aggregate` say what is read. A reading of fewer than `min_samples` samples counts as
    none, and no reading is never too much. `value` and `evaluated_at` are the last reading.
    """

    slug = models.CharField(
        max_length=60, blank=True, editable=False, help_text="Of a ready-made rule."
    )
    name = models.CharField(max_length=100, unique=True)
    condition = models.CharField(max_length=60, blank=True)
    metric = models.CharField(max_length=100, blank=True)
    tags = models.JSONField(default=dict, blank=True)
    aggregate = models.CharField(max_length=10, choices=Aggregate, blank=True)
    window_seconds = models.PositiveIntegerField(default=300)
    min_samples = models.PositiveIntegerField(default=1)
    comparison = models.CharField(max_length=10, choices=Comparison, default=Comparison.ABOVE)
    threshold = models.FloatField()
    for_seconds = models.PositiveIntegerField(default=0)
    repeat_seconds = models.PositiveIntegerField(default=4 * 3600)
    severity = models.CharField(max_length=10, choices=Severity, default=Severity.MEDIUM)
    is_active = models.BooleanField(default=True)
    channels = models.ManyToManyField(
        NotificationChannel, blank=True, related_name="rules", help_text="None: all of them."
    )
    value = models.FloatField(null=True, editable=False)
    evaluated_at: "models.DateTimeField[Any, datetime | None]" = models.DateTimeField(
        null=True, editable=False
    )
    notified_at: "models.DateTimeField[Any, datetime | None]" = models.DateTimeField(
        null=True, editable=False, help_text="When channels were last told that it fires."
    )

    objects = AlertRuleQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["slug"], condition=~Q(slug=""), name="alert_rule_slug_unique"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="alert_rule_has_name"),
            models.CheckConstraint(
                condition=Q(condition="", aggregate__in=Aggregate.values) & ~Q(metric="")
                | ~Q(condition="") & Q(metric="", aggregate=""),
                name="alert_rule_reads_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(comparison__in=Comparison.values), name="alert_rule_comparison_valid"
            ),
            models.CheckConstraint(
                condition=Q(severity__in=Severity.values), name="alert_rule_severity_valid"
            ),
            models.CheckConstraint(
                condition=Q(window_seconds__gte=60, window_seconds__lte=LONGEST_WINDOW),
                name="alert_rule_window_valid",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def unit(self) -> str:
        """Of the value and the threshold."""
        if self.condition:
            known = conditions.get(self.condition)
            return known.unit if known else ""
        if self.aggregate == Aggregate.COUNT:
            return ""
        unit = names.describe(self.metric).unit
        return f"{unit} a second".strip() if self.aggregate == Aggregate.RATE else unit

    @property
    def watched_metric(self) -> str:
        """The metric whose chart shows what is watched; empty when there is none."""
        if self.condition:
            known = conditions.get(self.condition)
            return known.metric if known else ""
        return self.metric

    @property
    def has_window(self) -> bool:
        """Whether a stretch of time is read, rather than the present."""
        known = conditions.get(self.condition)
        return known is None or known.has_window

    @property
    def subject(self) -> str:
        """What is read, in words."""
        if self.condition:
            known = conditions.get(self.condition)
            return known.label if known else f"{self.condition} (no longer known)"
        tags = ", ".join(f"{key}={value}" for key, value in self.tags.items())
        of = f"{self.metric} ({tags})" if tags else self.metric
        return f"{self.get_aggregate_display()} of {of}"

    @property
    def summary(self) -> str:
        """The whole condition in words, such as “… above 5 % within 5 m, for 2 m”."""
        text = f"{self.subject} {self.comparison} {quantity(self.threshold, self.unit)}"
        text += f" within {span(self.window_seconds)}" if self.has_window else ""
        return text + (f", for {span(self.for_seconds)}" if self.for_seconds else "")

    @property
    def state(self) -> str:
        """`inactive`, `ok`, or what its open alert is: of a rule read `with_state`."""
        if not self.is_active:
            return "inactive"
        return getattr(self, "open_state", None) or "ok"

    @property
    def shown_value(self) -> str:
        """The last reading with its unit."""
        return quantity(self.value, self.unit)

    def is_exceeded_by(self, value: float | None) -> bool:
        """Whether a reading is too much."""
        if value is None:
            return False
        above = self.comparison == Comparison.ABOVE
        return value > self.threshold if above else value < self.threshold

    @classmethod
    def create(
        cls, *, by: User, channels: Sequence[NotificationChannel] = (), **values: Any
    ) -> "AlertRule":
        """A new rule. Raises InvalidRule, and Conflict for a name that is taken."""
        if cls.objects.count() >= MOST_RULES:
            raise Conflict(f"There are {MOST_RULES} rules already.", code="too_many_rules")
        rule = cls(**values)
        rule._check()
        rule._check_is_recorded()
        with transaction.atomic():
            rule._save_unique(force_insert=True)
            rule.channels.set(channels)
            audit.record(Action.RULE_CREATED, actor=by, obj=rule, rule=rule.summary)
        return rule

    def change(
        self, *, by: User, channels: Sequence[NotificationChannel] | None = None, **values: Any
    ) -> None:
        """Write these fields; an alert of a rule that is switched off ends, and nobody is told.

        Raises as `create`, and NotFound.
        """
        with transaction.atomic():
            before = self.locked()
            changed = [name for name, value in values.items() if getattr(before, name) != value]
            for name, value in values.items():
                setattr(self, name, value)
            self._check()
            if "metric" in changed:
                self._check_is_recorded()
            if channels is not None and set(channels) != set(self.channels.all()):
                self.channels.set(channels)
                changed.append("channels")
            if not changed:
                return
            self._save_unique(update_fields=[*values, "updated_at"])
            if not self.is_active:
                self._end_alert()
            audit.record(Action.RULE_CHANGED, actor=by, obj=self, fields=sorted(changed))

    def delete(
        self, *args: Any, by: User | None = None, **kwargs: Any
    ) -> tuple[int, dict[str, int]]:
        """Delete it for good; its alerts stay in the history."""
        with transaction.atomic():
            self._end_alert()
            audit.record(Action.RULE_DELETED, actor=by, obj=self, rule=self.summary)
            return super().delete(*args, **kwargs)

    def _end_alert(self) -> None:
        for alert in self.alerts.open():
            alert.end(timezone.now())

    def _check(self) -> None:
        """Raise InvalidRule for what the columns would take and nobody can mean."""
        if not self.name.isprintable():
            # It becomes the subject of mails.
            raise InvalidRule("name", "A name is one line, without control characters.")
        if bool(self.condition) == bool(self.metric):
            raise InvalidRule("condition", "Choose a condition, or a metric.")
        if self.condition and conditions.get(self.condition) is None:
            known = ", ".join(condition.slug for condition in conditions.all_conditions())
            raise InvalidRule("condition", f"There is no such condition. Choose one of {known}.")
        if self.metric:
            self._check_metric()
        if not math.isfinite(self.threshold):
            raise InvalidRule("threshold", "The threshold must be a number.")
        for name, least, most in (
            ("window_seconds", SHORTEST_WINDOW, LONGEST_WINDOW),
            ("for_seconds", 0, LONGEST_WINDOW),
            ("repeat_seconds", SHORTEST_REPEAT, LONGEST_REPEAT),
        ):
            if not least <= getattr(self, name) <= most:
                raise InvalidRule(name, f"Between {span(least)} and {span(most)}.")

    def _check_metric(self) -> None:
        if self.aggregate not in Aggregate.values:
            raise InvalidRule("aggregate", "Choose what is made of the metric's samples.")
        kind = names.describe(self.metric).kind
        if self.aggregate in PERCENTILES and kind != "histogram":
            raise InvalidRule("aggregate", f"{self.metric} is a {kind}: it has no percentiles.")
        tags: Any = self.tags
        fits = isinstance(tags, Mapping) and len(tags) <= MOST_TAGS
        if not fits or not all(
            isinstance(text, str) and 0 < len(text) <= MOST_TAG_LENGTH
            for pair in tags.items()
            for text in pair
        ):
            raise InvalidRule("tags", f"Tags are at most {MOST_TAGS} names with a text each.")

    def _check_is_recorded(self) -> None:
        """One that is misspelt would have no reading for ever, and its rule never fire."""
        problem = why_unknown(self.metric) if self.metric else ""
        if problem:
            raise InvalidRule("metric", problem)

    def _save_unique(self, **options: Any) -> None:
        self.save_named(f"There is a rule named “{self.name}” already.", **options)


class Installed(models.Model):
    """What this installation was given once: a ready-made rule that is deleted stays deleted."""

    name = models.CharField(max_length=80, primary_key=True)
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name
