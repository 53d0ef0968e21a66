"""What the errors keep for a time only."""

from typing import Any

from django.db.models import QuerySet

from hummbl import retention
from observability.models.error import ErrorGroup, ErrorHour, ErrorReport, ErrorUser


def register() -> None:
    """Tell `hummbl.retention`; the groups come last, when nothing of theirs is left."""
    retention.register_rows("error reports", _older, _old_reports)
    retention.register_rows("errors by hour", _older, _old_hours)
    retention.register_rows("users who met errors", _not_since, _old_users)
    retention.register_rows("errors", _not_since, ErrorGroup.objects.expired)


def _older() -> str:
    return retention.in_words("older than", "RETENTION_ERRORS")


def _not_since() -> str:
    return retention.in_words("of errors last seen longer ago than", "RETENTION_ERRORS")


def _old_reports() -> QuerySet[Any]:
    since = retention.ago("RETENTION_ERRORS")
    return ErrorReport.objects.filter(at__lt=since) if since else ErrorReport.objects.none()


def _old_hours() -> QuerySet[Any]:
    since = retention.ago("RETENTION_ERRORS")
    return ErrorHour.objects.filter(hour__lt=since) if since else ErrorHour.objects.none()


def _old_users() -> QuerySet[Any]:
    return ErrorUser.objects.filter(group__in=ErrorGroup.objects.expired())
