"""Asking for the password again before what a stolen session must not do.

Changing an e-mail address, a password, provider keys, access tokens or a role wants a sign-in of
the last 15 minutes. Source: OWASP ASVS 5.0, 7.5.1.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.errors import SignInTooOld, TokenNotAllowed
from accounts.models import Session


def is_recent(session: Session) -> bool:
    """Whether the password was given within the last `REAUTHENTICATION_AGE` seconds."""
    given = session.authenticated_at
    age = timedelta(seconds=settings.REAUTHENTICATION_AGE)
    return given is not None and timezone.now() - given < age


def require_recent(credential: Any) -> None:
    """Let a person with a recent sign-in pass; `credential` is what the request came with.

    Raises TokenNotAllowed for an access token, which has no password to give, and SignInTooOld.
    """
    if not isinstance(credential, Session):
        raise TokenNotAllowed
    if not is_recent(credential):
        raise SignInTooOld
