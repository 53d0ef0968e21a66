"""Signing up, in and out, and changing a password: the same for the pages and the API.

Callers have counted the attempt against the rate limit before: every function that takes a
password hashes it, which costs about 200 ms.
"""

import logging
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.models import update_last_login
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts import addresses, audit, browser, mail
from accounts.errors import (
    BadCredentials,
    ChangedMeanwhile,
    EmailTaken,
    EmailUnverified,
    RegistrationClosed,
    WeakPassword,
    WrongPassword,
)
from accounts.models import Action, Session, User
from hummbl import client
from hummbl.logging import escape

logger = logging.getLogger(__name__)

PASSWORD_MAX_LENGTH = 1000


def sign_up(request: HttpRequest, *, email: str, password: str, name: str = "") -> User:
    """A new user with the role `user`, usable at once; a mail asks to verify the address.

    Raises RegistrationClosed, EmailRefused, DomainRefused, WeakPassword and EmailTaken.
    """
    if not settings.REGISTRATION_OPEN:
        raise RegistrationClosed
    user = User(email=addresses.clean(email), name=name.strip())
    addresses.check_domain(user.email)
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
    mail.send_verification(request, user)
    return user


def authenticate(request: HttpRequest, *, email: str, password: str) -> User:
    """The active user with that address and password.

    Raises BadCredentials; one password is hashed whether or not the account exists. Only who knows
    the password learns that the address must be proven first: EmailUnverified, and a link is sent.
    """
    user = None
    if len(password) <= PASSWORD_MAX_LENGTH:
        user = auth.authenticate(request, username=email.strip(), password=password)
    if not isinstance(user, User):
        logger.warning("Sign-in failed for %s from %s", shown(email), client.address(request))
        audit.record(Action.SIGN_IN_FAILED, label=shown(email))
        raise BadCredentials
    if must_verify(user):
        audit.record(Action.REFUSED, actor=user, obj=user, code=EmailUnverified.code)
        mail.send_verification(request, user)
        raise EmailUnverified
    audit.record(Action.SIGNED_IN, actor=user, obj=user)
    return user


def must_verify(user: User) -> bool:
    """Whether the user may not sign in before a link proves the address."""
    return settings.REQUIRE_VERIFIED_EMAIL and not user.email_verified


def sign_in(request: HttpRequest, *, email: str, password: str) -> User:
    """Sign a browser in: authenticate, and give the session a new id.

    Raises BadCredentials and EmailUnverified.
    """
    user = authenticate(request, email=email, password=password)
    browser.begin(request, user)
    return user


def open_session(request: HttpRequest, user: User) -> tuple[Session, str]:
    """Sign a program in: a bearer session and its token, which is seen here and never again.

    Raises BadCredentials when the password, which was right, is another by now.
    """
    same = User.objects.filter(pk=user.pk, password=user.password, is_active=True)
    with transaction.atomic():
        # Held, so that a change of the password at this moment ends this session with the others.
        # A browser's holds a hash of the password.
        if not same.select_for_update(no_key=True).values_list("pk").first():
            raise BadCredentials
        update_last_login(User, user)
        return Session.open(user, ip=client.address(request), user_agent=client.user_agent(request))


def sign_out(request: HttpRequest, session: Session | None) -> None:
    """End the session that the request came with; what a browser keeps of it too."""
    if session is not None:
        with transaction.atomic():
            audit.record(Action.SIGNED_OUT, actor=session.user, obj=session.user)
            session.delete()
    if session is None or session.is_browser:
        auth.logout(request)


def change_password(
    user: User, *, current: str, new: str, keep: Session | None, request: HttpRequest
) -> None:
    """Set a new password and end every session of the user except `keep`, the one in use.

    Raises WrongPassword and WeakPassword.
    """
    if len(current) > PASSWORD_MAX_LENGTH or not user.check_password(current):
        logger.warning("Password change refused: wrong current password of user %s", user.pk)
        audit.record(
            Action.SIGN_IN_FAILED, actor=user, obj=user, session=str(keep.pk) if keep else ""
        )
        raise WrongPassword
    set_password(user, new, path="new_password", keep=keep, by=user)
    if keep is not None:
        keep.password_given()
        if keep.is_browser:
            browser.renew(request, keep)
    mail.send_password_changed(request, user)


def set_password(
    user: User,
    password: str,
    *,
    by: Any,
    path: str = "password",
    keep: Session | None = None,
    action: Action = Action.PASSWORD_CHANGED,
    proves_address: bool = False,
) -> None:
    """Set a password without asking for the old one; end the sessions but `keep`, and all tokens.

    `by` does it, and the audit log says so; `proves_address`: by a link sent to the address.
    Raises WeakPassword, naming the field `path`, and ChangedMeanwhile.
    """
    _check_strength(password, user, path=path)
    known = {"password": user.password, "email": user.email, "is_active": user.is_active}
    user.set_password(password)
    with transaction.atomic():
        # Who was let in by what the account was before the hash may not be now.
        if not User.objects.filter(pk=user.pk, **known).update(
            password=user.password, updated_at=timezone.now()
        ):
            raise ChangedMeanwhile
        user.sessions.other_than(keep).delete()
        user.access_tokens.all().delete()
        audit.record(action, actor=by, obj=user)
        if proves_address:
            addresses.prove(user)
    logger.info("Password changed: user %s", user.pk)


def shown(email: str) -> str:
    """What logs may keep of an address that was tried; people type passwords into it, too."""
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
