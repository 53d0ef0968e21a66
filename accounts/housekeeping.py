"""What the accounts app keeps for a time only."""

from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session as DjangoSession
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import AccessToken, AuditEntry, Session
from hummbl import retention

# Its owner sees for so long that it has expired.
TOKEN_DAYS: Final = 30


def register() -> None:
    """Tell `hummbl.retention`."""
    retention.register_rows("sessions", _about_sessions, Session.objects.outdated)
    retention.register_rows("browser cookies", lambda: "expired", _expired_cookies)
    retention.register_rows(
        "access tokens", lambda: f"expired more than {TOKEN_DAYS} days ago", _expired_tokens
    )
    retention.register(
        retention.Rule(
            "audit log",
            lambda: retention.in_words("older than", "RETENTION_AUDIT"),
            lambda: AuditEntry.objects.expired().count(),
            _forget_entries,
        )
    )
    retention.register_rows(
        "admin history",
        lambda: retention.in_words("older than", "RETENTION_AUDIT"),
        _old_admin_history,
    )


def _about_sessions() -> str:
    ended = "expired or unused too long"
    if settings.RETENTION_SESSIONS == 0:
        return ended
    return retention.in_words(f"{ended}, for longer than", "RETENTION_SESSIONS")


def _forget_entries(limit: int) -> retention.Deleted:
    rows = AuditEntry.objects.forget_expired(limit)
    return retention.Deleted(rows, rows == limit)


def _old_admin_history() -> QuerySet[Any]:
    """What the Django admin notes for its own pages; the audit log has it too."""
    since = retention.ago("RETENTION_AUDIT")
    return LogEntry.objects.filter(action_time__lt=since) if since else LogEntry.objects.none()


def _expired_cookies() -> QuerySet[Any]:
    return DjangoSession.objects.filter(expire_date__lt=timezone.now())


def _expired_tokens() -> QuerySet[Any]:
    return AccessToken.objects.filter(expires_at__lt=timezone.now() - timedelta(days=TOKEN_DAYS))
