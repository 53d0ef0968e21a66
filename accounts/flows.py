"""Signing up, in and out, and changing a password: the same for the pages and the API.

Callers have counted the attempt against the rate limit before: every function that takes a
password hashes it, which costs about 200 ms.
"""

import logging
import uuid
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.models import update_last_login
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from accounts import audit, browser
from accounts.errors import (
    BadCredentials,
    EmailTaken,
    RegistrationClosed,
    WeakPassword,
    WrongPassword,
)
from accounts.models import Action, Session, User
from hummbl import client
from hummbl.errors import NotFound
from hummbl.logging import escape

logger = logging.getLogger(__name__)

PASSWORD_MAX_LENGTH = 1000


def sign_up(*, email: str, password: str, name: str = "") -> User:
    """A new user with the role `user`, usable at once.

    Raises RegistrationClosed, WeakPassword and EmailTaken.
    """
    if not settings.REGISTRATION_OPEN:
        raise RegistrationClosed
    user = User(email=email.strip().lower(), name=name.strip())
    _check_strength(password, user, path="password")
    # Before the transaction: a hash takes too long to hold SQLite's only writer.
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            audit.record(Action.SIGNED_UP, actor=user, obj=user)
    except IntegrityError as error:
        raise EmailTaken from error
    logger.info("Signed up: user %s", user.pk)
    return user


def authenticate(request: HttpRequest | None = None, *, email: str, password: str) -> User:
    """The active user with that address and password. `request` only names the client in the log.

    Raises BadCredentials; one password is hashed whether or not the account exists.
    """
    user = None
    if len(password) <= PASSWORD_MAX_LENGTH:
        user = auth.authenticate(request, username=email.strip(), password=password)
    if not isinstance(user, User):
        address = client.address(request) if request else None
        logger.warning("Sign-in failed for %s from %s", _shown(email), address)
        audit.record(Action.SIGN_IN_FAILED, label=_shown(email))
        raise BadCredentials
    audit.record(Action.SIGNED_IN, actor=user, obj=user)
    return user


def sign_in(request: HttpRequest, *, email: str, password: str) -> User:
    """Sign a browser in: authenticate, and give the session a new id. Raises BadCredentials."""
    user = authenticate(request, email=email, password=password)
    browser.begin(request, user)
    return user


def open_session(request: HttpRequest, user: User) -> tuple[Session, str]:
    """Sign a program in: a bearer session and its token, which is seen here and never again."""
    update_last_login(User, user)
    return Session.open(user, ip=client.address(request), user_agent=client.user_agent(request))


def sign_out(request: HttpRequest, session: Session | None) -> None:
    """End the session that the request came with; what a browser keeps of it too."""
    if session is not None:
        audit.record(Action.SIGNED_OUT, actor=session.user, obj=session.user)
        session.delete()
    if session is None or session.is_browser:
        auth.logout(request)


def end_session(user: User, pk: uuid.UUID) -> None:
    """Sign one browser or program of the user out. Raises NotFound unless it is the user's."""
    if not user.sessions.filter(pk=pk).delete()[0]:
        raise NotFound
    audit.record(Action.SESSION_ENDED, actor=user, obj=user, session=str(pk))
    logger.info("Session ended: %s of user %s", pk, user.pk)


def end_other_sessions(user: User, keep: Session | None) -> int:
    """Sign the user out everywhere but in `keep`; how many sessions that ended."""
    ended = user.sessions.alive().count()
    user.sessions.other_than(keep).delete()
    audit.record(Action.SESSIONS_ENDED, actor=user, obj=user)
    return ended - (keep is not None)


def change_password(
    user: User, *, current: str, new: str, keep: Session | None, request: HttpRequest
) -> None:
    """Set a new password and end every session of the user except `keep`, the one in use.

    Raises WrongPassword and WeakPassword.
    """
    if len(current) > PASSWORD_MAX_LENGTH or not user.check_password(current):
        logger.warning("Password change refused: wrong current password of user %s", user.pk)
        raise WrongPassword
    set_password(user, new, path="new_password", keep=keep, actor=user)
    if keep is not None and keep.is_browser:
        # Django's session holds a hash of the password.
        auth.update_session_auth_hash(request, user)


def set_password(
    user: User,
    password: str,
    *,
    actor: Any,
    path: str = "password",
    keep: Session | None = None,
    action: Action = Action.PASSWORD_CHANGED,
) -> None:
    """Set a password without asking for the old one, and end the sessions but `keep`.

    `actor` does it, and the audit log says so. Raises WeakPassword, naming the field `path`.
    """
    _check_strength(password, user, path=path)
    user.set_password(password)
    with transaction.atomic():
        user.save(update_fields=["password", "updated_at"])
        user.sessions.other_than(keep).delete()
        audit.record(action, actor=actor, obj=user)
    logger.info("Password changed: user %s", user.pk)


def _shown(email: str) -> str:
    """What the log may keep of an address that was tried; people type passwords into it, too."""
    return escape(email.strip()[:254]) if "@" in email else "(no e-mail address)"


def _check_strength(password: str, user: User, *, path: str) -> None:
    try:
        if len(password) > PASSWORD_MAX_LENGTH:
            raise ValidationError(
                f"This password is too long. It may have {PASSWORD_MAX_LENGTH} characters."
            )
        validate_password(password, user)
    except ValidationError as error:
        raise WeakPassword(error, path=path) from error
