"""Errors: what broke, grouped, with its latest reports; who met it, and how often in which hour."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Final, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import F
from django.db.models.functions import Cast, LPad
from django.utils import timezone

from accounts import audit
from accounts.models import Action
from hummbl import retention
from hummbl.errors import Conflict
from hummbl.models import BaseModel, new_id
from observability.models.severity import Severity

MOST_REPORTS: Final = 100
# Of what anybody may report without signing in.
MOST_REPORTS_OF_VISITORS: Final = 10
MOST_USERS: Final = 1000
TITLE_LENGTH: Final = 200
_EXECUTION_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class ErrorSource(models.TextChoices):
    """Where an error happened. Of visitors, who are not signed in, nobody knows whether it did."""

    REQUEST = "request", "Request"
    TASK = "task", "Task"
    WORKER = "worker", "Worker"
    COMMAND = "command", "Command"
    BROWSER = "browser", "Browser"
    VISITOR = "visitor", "Visitor"


class ErrorStatus(models.TextChoices):
    """Whether somebody has to look at an error."""

    OPEN = "open", "Open"
    RESOLVED = "resolved", "Resolved"
    IGNORED = "ignored", "Ignored"


class ErrorGroupQuerySet(models.QuerySet["ErrorGroup"]):
    """Groups of errors."""

    def open(self) -> Self:
        """Those that wait for somebody."""
        return self.filter(status=ErrorStatus.OPEN)

    def mentioning(self, text: str) -> Self:
        """Those whose title or place has the text, or a report of that request or execution."""
        reports = ErrorReport.objects.filter(request_id=text)
        if _EXECUTION_ID.fullmatch(text):
            reports = ErrorReport.objects.filter(execution_id=text)
        return self.filter(
            models.Q(title__icontains=text)
            | models.Q(culprit__icontains=text)
            | models.Q(pk__in=reports.values("group"))
        )

    def during(self, start: datetime, end: datetime) -> Self:
        """Those that happened in one of the hours of that time."""
        first = start.replace(minute=0, second=0, microsecond=0)
        hours = ErrorHour.objects.order_by().filter(hour__gte=first, hour__lt=end)
        return self.filter(pk__in=hours.values("group"))

    def with_sortable_counts(self) -> Self:
        """With `by_count` and `by_users`, the numbers as texts that sort like numbers."""
        return self.annotate(by_count=_padded("count"), by_users=_padded("users_count"))

    def expired(self) -> Self:
        """Those that have not happened for `RETENTION_ERRORS` days."""
        since = retention.ago("RETENTION_ERRORS")
        return self.none() if since is None else self.filter(last_seen__lt=since)


def _padded(column: str) -> LPad:
    return LPad(Cast(column, models.CharField()), 20, models.Value("0"))


class ErrorGroup(BaseModel):
    """Errors that are the same by their fingerprint. `count` is exact, reports are samples.

    `parts` are what the fingerprint was made of, `version` by which rules. `resolved_in` is the
    release in which it was resolved for the next one: reports of that release reopen nothing.
    """

    fingerprint = models.CharField(max_length=64, unique=True)
    version = models.PositiveSmallIntegerField()
    parts = models.JSONField(default=list)
    title = models.CharField(max_length=TITLE_LENGTH)
    culprit = models.CharField(max_length=200, blank=True, help_text="Where it happened.")
    source = models.CharField(max_length=10, choices=ErrorSource)
    severity = models.CharField(max_length=10, choices=Severity)
    status = models.CharField(max_length=10, choices=ErrorStatus, default=ErrorStatus.OPEN)
    resolved_at = models.DateTimeField(null=True)
    resolved_in = models.CharField(max_length=100, blank=True)
    regressed_at = models.DateTimeField(null=True, help_text="When it came back last.")
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    first_release = models.CharField(max_length=100, blank=True)
    last_release = models.CharField(max_length=100, blank=True)
    count = models.PositiveBigIntegerField(default=0)
    users_count = models.PositiveIntegerField(default=0, help_text=f"At most {MOST_USERS}.")

    objects = ErrorGroupQuerySet.as_manager()

    class Meta:
        ordering = ["-last_seen", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(source__in=ErrorSource.values), name="error_group_source"
            ),
            models.CheckConstraint(
                condition=models.Q(severity__in=Severity.values), name="error_group_severity"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=ErrorStatus.values), name="error_group_status"
            ),
            models.CheckConstraint(
                condition=models.Q(status=ErrorStatus.RESOLVED, resolved_at__isnull=False)
                | models.Q(
                    ~models.Q(status=ErrorStatus.RESOLVED), resolved_at=None, resolved_in=""
                ),
                name="error_group_resolved",
            ),
        ]
        indexes = [
            models.Index(fields=["-last_seen", "-id"], name="error_group_by_time"),
            models.Index(fields=["status", "-last_seen", "-id"], name="error_group_by_status"),
            models.Index(fields=["source", "first_seen"], name="error_group_new"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def regressed(self) -> bool:
        """Whether it is open because it came back after somebody had resolved it."""
        return self.status == ErrorStatus.OPEN and self.regressed_at is not None

    def resolve(self, *, by: object, in_next_release: bool = False) -> None:
        """Say that it is mended, here or in the release after this one. Raises Conflict."""
        self._move(
            ErrorStatus.RESOLVED,
            by,
            Action.ERROR_RESOLVED,
            resolved_at=timezone.now(),
            resolved_in=settings.RELEASE if in_next_release else "",
            regressed_at=None,
        )

    def ignore(self, *, by: object) -> None:
        """Count it further, but call nobody. Raises Conflict."""
        self._move(
            ErrorStatus.IGNORED,
            by,
            Action.ERROR_IGNORED,
            resolved_at=None,
            resolved_in="",
            regressed_at=None,
        )

    def reopen(self, *, by: object) -> None:
        """Say that somebody has to look at it after all. Raises Conflict."""
        self._move(
            ErrorStatus.OPEN,
            by,
            Action.ERROR_REOPENED,
            resolved_at=None,
            resolved_in="",
            regressed_at=None,
        )

    def _move(self, status: ErrorStatus, by: object, action: Action, **columns: Any) -> None:
        with transaction.atomic():
            row = self.locked()
            if row.status == status:
                raise Conflict(f"This error is {status.label.lower()} already.")
            row._set(status=status, **columns)
            release = columns.get("resolved_in")
            audit.record(action, actor=by, obj=row, **({"after": release} if release else {}))
        self._set_here(status=status, **columns)

    def happened(
        self, *, count: int, severity: str, release: str, first: datetime, last: datetime
    ) -> bool:
        """Count further occurrences; the row is locked by the caller. Whether it came back."""
        came_back = self._comes_back(release, last)
        if came_back:
            self.status, self.regressed_at = ErrorStatus.OPEN, last
            self.resolved_at, self.resolved_in = None, ""
        self.count += count
        self.severity = min(self.severity, severity, key=Severity.values.index)
        self.first_seen = min(self.first_seen, first)
        if last >= self.last_seen:
            self.last_seen, self.last_release = last, release
        self.save()
        return came_back

    def _comes_back(self, release: str, last: datetime) -> bool:
        if self.status != ErrorStatus.RESOLVED or self.resolved_at is None:
            return False
        return last > self.resolved_at and release != self.resolved_in

    def _set(self, **columns: Any) -> None:
        self._set_here(**columns)
        self.save(update_fields=[*columns, "updated_at"])

    def _set_here(self, **columns: Any) -> None:
        for name, value in columns.items():
            setattr(self, name, value)


class ErrorReport(models.Model):
    """One occurrence of an error, without secrets and without the values of variables.

    `stack` has the exceptions, the one that was seen first and its causes after it, each with its
    frames from the outermost on. Users and executions may be gone.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    group = models.ForeignKey(ErrorGroup, on_delete=models.CASCADE, related_name="reports")
    at = models.DateTimeField()
    message = models.TextField()
    stack = models.JSONField(default=list)
    context = models.JSONField(default=dict)
    release = models.CharField(max_length=100, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    user_id = models.UUIDField(null=True)
    execution_id = models.UUIDField(null=True)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["group", "-at", "-id"], name="error_report_by_group"),
            models.Index(fields=["at"], name="error_report_age"),
            models.Index(
                fields=["request_id"],
                condition=~models.Q(request_id=""),
                name="error_report_request",
            ),
        ]

    def __str__(self) -> str:
        return self.message


class ErrorHour(models.Model):
    """How often an error happened in an hour."""

    id = models.BigAutoField(primary_key=True)
    group = models.ForeignKey(ErrorGroup, on_delete=models.CASCADE, related_name="hours")
    hour = models.DateTimeField()
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["hour"]
        constraints = [models.UniqueConstraint(fields=["group", "hour"], name="error_hour_unique")]
        indexes = [models.Index(fields=["hour"], name="error_hour_age")]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}: {self.count}"

    @classmethod
    def add(cls, group: ErrorGroup, at: datetime, count: int) -> None:
        """Count occurrences in the hour of that moment."""
        hour = at - timedelta(minutes=at.minute, seconds=at.second, microseconds=at.microsecond)
        ErrorHour.objects.bulk_create([ErrorHour(group=group, hour=hour)], ignore_conflicts=True)
        cls.objects.filter(group=group, hour=hour).update(count=F("count") + count)


class ErrorUser(models.Model):
    """That a user met an error; kept for the first `MOST_USERS` of them."""

    id = models.BigAutoField(primary_key=True)
    group = models.ForeignKey(ErrorGroup, on_delete=models.CASCADE, related_name="users")
    user_id = models.UUIDField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "user_id"], name="error_user_unique")
        ]

    def __str__(self) -> str:
        return str(self.user_id)
