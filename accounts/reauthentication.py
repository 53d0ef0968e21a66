"""Asking for the password again before what a stolen session must not do.

Changing an e-mail address, a password, provider keys, access tokens or a role wants a sign-in of
the last 15 minutes. Source: OWASP ASVS 5.0, 7.5.1.
"""

import logging
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit, browser
from accounts.errors import SignInTooOld, TokenNotAllowed, WrongPassword
from accounts.flows import PASSWORD_MAX_LENGTH
from accounts.models import Action, Session
from hummbl.ratelimit import check_auth

logger = logging.getLogger(__name__)


def is_recent(session: Session) -> bool:
    """Whether the password was given within the last `REAUTHENTICATION_AGE` seconds."""
    given = session.authenticated_at
    age = timedelta(seconds=settings.REAUTHENTICATION_AGE)
    return given is not None and timezone.now() - given < age


def require_recent(credential: Any) -> None:
    """Let a person with a recent sign-in pass; `credential` is what the request came with.

    Raises TokenNotAllowed for an access token, which has no password to give, and SignInTooOld.
    """
    if not is_recent(require_session(credential)):
        raise SignInTooOld


def require_session(credential: Any) -> Session:
    """The session, when the request came with one. Raises TokenNotAllowed for an access token."""
    if not isinstance(credential, Session):
        raise TokenNotAllowed
    return credential


def give_password(request: HttpRequest, credential: Any, password: str) -> None:
    """Take the password once more: the session counts as signed in just now.

    A browser's session gets a new key, as at sign-in. Raises TokenNotAllowed, RateLimited and
    WrongPassword.
    """
    session = require_session(credential)
    user = session.user
    check_auth(request, "reauthenticate", user.email)
    if len(password) > PASSWORD_MAX_LENGTH or not user.check_password(password):
        logger.warning("Re-authentication failed: wrong password of user %s", user.pk)
        audit.record(Action.SIGN_IN_FAILED, actor=user, obj=user, session=str(session.pk))
        raise WrongPassword(path="password")
    with transaction.atomic():
        session.password_given()
        audit.record(Action.REAUTHENTICATED, actor=user, obj=user, session=str(session.pk))
    if session.is_browser:
        browser.renew(request, session)
