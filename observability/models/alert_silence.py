"""Times in which alerts are noted and nobody is told."""

from datetime import datetime, timedelta
from typing import Final, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts import audit
from accounts.models import Action, User
from hummbl.errors import AppError
from hummbl.models import BaseModel
from observability.models.alert_rule import AlertRule

LONGEST: Final = timedelta(days=90)


class InvalidSilence(AppError):
    """A span of time that makes no sense."""

    code = "invalid_silence"


class SilenceQuerySet(models.QuerySet["Silence"]):
    """Silences by when they hold."""

    def current(self, at: datetime | None = None) -> Self:
        """Those that hold now."""
        at = at or timezone.now()
        return self.filter(starts_at__lte=at, ends_at__gt=at)

    def not_over(self) -> Self:
        """Those that hold, or will."""
        return self.filter(ends_at__gt=timezone.now())

    def of(self, rule: AlertRule) -> Self:
        """Those that hold for this rule: its own, and those of all rules."""
        return self.filter(Q(rule=rule) | Q(rule__isnull=True))


class Silence(BaseModel):
    """Nobody is told of a rule's alerts meanwhile, or of any rule's when `rule` is None."""

    rule = models.ForeignKey(
        AlertRule, on_delete=models.CASCADE, null=True, blank=True, related_name="silences"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=200)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    objects = SilenceQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="silence_ends_after_start"
            ),
        ]
        indexes = [models.Index(fields=["ends_at"], name="silence_by_end")]

    def __str__(self) -> str:
        return f"Silence of {self.rule.name if self.rule else 'all rules'}"

    @property
    def has_begun(self) -> bool:
        """Whether it holds, or will hold later."""
        return self.starts_at <= timezone.now()

    @classmethod
    def create(
        cls,
        *,
        by: User,
        ends_at: datetime,
        reason: str,
        rule: AlertRule | None = None,
        starts_at: datetime | None = None,
    ) -> "Silence":
        """A silence from now on, or from a later moment. Raises InvalidSilence."""
        now = timezone.now()
        starts_at = starts_at or now
        if ends_at <= max(starts_at, now):
            raise InvalidSilence("A silence must end after it begins, and in the future.")
        if ends_at - starts_at > LONGEST:
            raise InvalidSilence(f"A silence lasts at most {LONGEST.days} days.")
        silence = cls(rule=rule, starts_at=starts_at, ends_at=ends_at, reason=reason, created_by=by)
        with transaction.atomic():
            silence.save(force_insert=True)
            until = ends_at.isoformat(timespec="minutes")
            audit.record(Action.SILENCE_CREATED, actor=by, obj=silence, until=until)
        return silence

    def end(self, *, by: User) -> None:
        """Let it be over now; one that has not begun is forgotten. Raises NotFound."""
        with transaction.atomic():
            row = self.locked()
            now = timezone.now()
            if row.ends_at <= now:
                return
            audit.record(Action.SILENCE_ENDED, actor=by, obj=self)
            if row.starts_at >= now:
                self.delete()
            else:
                self.ends_at = now
                self.save(update_fields=["ends_at", "updated_at"])
