"""What the accounts app keeps for a time only."""

from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.sessions.models import Session as DjangoSession
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import AccessToken, AuditEntry, Session
from hummbl import retention

# Its owner sees for so long that it has expired.
TOKEN_DAYS: Final = 30


def register() -> None:
    """Tell `hummbl.retention`."""
    retention.register("sessions", lambda: "expired or unused too long", Session.objects.expired)
    retention.register("browser cookies", lambda: "expired", _expired_cookies)
    retention.register(
        "access tokens", lambda: f"expired more than {TOKEN_DAYS} days ago", _expired_tokens
    )
    retention.register(
        "audit log",
        lambda: f"older than RETENTION_AUDIT, {settings.RETENTION_AUDIT} days",
        AuditEntry.objects.expired,
        AuditEntry.objects.forget_expired,
    )


def _expired_cookies() -> QuerySet[Any]:
    return DjangoSession.objects.filter(expire_date__lt=timezone.now())


def _expired_tokens() -> QuerySet[Any]:
    return AccessToken.objects.filter(expires_at__lt=timezone.now() - timedelta(days=TOKEN_DAYS))
