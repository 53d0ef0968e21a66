"""Making and deleting personal access tokens: the same for the pages, the API and the admin."""

import logging
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit
from accounts.errors import AccountError, ChangedMeanwhile
from accounts.models import AccessToken, Action, Role, Scope, User
from hummbl.errors import NotFound

logger = logging.getLogger(__name__)

MAX_TOKENS: Final = 50
DEFAULT_DAYS: Final = 90
MAX_DAYS: Final = 366
# What the pages say of each.
SCOPE_TEXTS: Final = {
    Scope.READ: "See workflows, runs and their results, and whatever else you can see.",
    Scope.RUN: "Start and cancel runs, which may cost money, and test provider keys.",
    Scope.WRITE: "Make, change and delete workflows, and change your name.",
    Scope.ADMIN: "See and manage everybody’s things, as you can. Without it, only what is yours.",
}
_ROLE_SCOPES: Final = {
    Role.ADMIN: tuple(Scope),
    Role.USER: (Scope.READ, Scope.RUN, Scope.WRITE),
    Role.VIEWER: (Scope.READ,),
}


class TokenRefused(AccountError):
    """A token that cannot be made; `path` is the field that holds the reason."""

    def __init__(self, path: str, code: str, message: str, *, status: int = 400) -> None:
        errors = [{"path": path, "code": code, "message": message}]
        super().__init__(message, code=code, status=status, details={"errors": errors})


class TooManyTokens(AccountError):
    """The user has as many as one may have."""

    status = 409
    code = "too_many_tokens"

    def __init__(self) -> None:
        super().__init__(
            f"You have {MAX_TOKENS} access tokens, and more there cannot be. Delete one first."
        )


def scopes_for(role: str) -> tuple[Scope, ...]:
    """What a token of someone with that role can be allowed."""
    return _ROLE_SCOPES[Role(role)]


def create_token(
    user: User, *, name: str, scopes: Iterable[str], expires_at: datetime | None = None
) -> tuple[AccessToken, str]:
    """A token and its secret, which nobody sees again; it ends after 90 days unless told when.

    Whoever calls this has made sure of a recent sign-in. Raises TokenRefused, TooManyTokens and
    ChangedMeanwhile.
    """
    name, chosen = name.strip(), set(scopes)
    expires_at = expires_at or timezone.now() + timedelta(days=DEFAULT_DAYS)
    _check_name(name)
    _check_scopes(user, chosen)
    _check_end(expires_at)
    try:
        with transaction.atomic():
            _hold(user)
            if user.access_tokens.count() >= MAX_TOKENS:
                raise TooManyTokens
            token, secret = AccessToken.issue(user, name=name, scopes=chosen, expires_at=expires_at)
            audit.record(
                Action.TOKEN_CREATED,
                actor=user,
                obj=token,
                scopes=token.scopes,
                expires_at=expires_at.isoformat(timespec="seconds"),
            )
    except IntegrityError as error:
        message = f"You have a token named “{name}” already. Choose another name, or delete it."
        raise TokenRefused("name", "token_name_taken", message, status=409) from error
    logger.info("Access token made: %s of user %s", token.pk, user.pk)
    return token, secret


def delete_token(user: User, pk: uuid.UUID) -> AccessToken:
    """Delete one of the user's tokens, which is refused from now on. Raises NotFound."""
    token = user.access_tokens.filter(pk=pk).first()
    if token is None:
        raise NotFound
    remove(token, by=user)
    return token


def remove(token: AccessToken, *, by: Any) -> None:
    """Delete a token, whoever's it is; `by` did it. Raises NotFound when somebody was faster."""
    pk = token.pk
    with transaction.atomic():
        if not AccessToken.objects.filter(pk=pk).delete()[0]:
            raise NotFound
        audit.record(Action.TOKEN_DELETED, actor=by, obj=token, owner=str(token.user_id))
    logger.info("Access token deleted: %s of user %s", pk, token.user_id)


def _hold(user: User) -> None:
    """Lock the user, so that two requests at once cannot both make the last token.

    A new password deletes all tokens: a request that was let in by the old one makes no more.
    """
    held = user.locked()
    if (held.password, held.role, held.is_active) != (user.password, user.role, user.is_active):
        raise ChangedMeanwhile


def _check_name(name: str) -> None:
    if not name or len(name) > AccessToken.NAME_LENGTH:
        message = f"Give it a name of at most {AccessToken.NAME_LENGTH} characters."
        raise TokenRefused("name", "invalid", message)


def _check_scopes(user: User, chosen: set[str]) -> None:
    if not chosen:
        raise TokenRefused("scopes", "required", "Choose what the token may do.")
    if unknown := chosen - set(Scope.values):
        message = f"There is no scope {min(unknown)!r}. Known: {', '.join(Scope.values)}."
        raise TokenRefused("scopes", "invalid_choice", message)
    allowed = scopes_for(user.role)
    for scope in Scope:
        if scope in chosen and scope not in allowed:
            message = (
                f"Your role is {user.get_role_display().lower()}: a token of yours cannot have "
                f"the scope {scope}. Choose from: {', '.join(allowed)}."
            )
            raise TokenRefused("scopes", "scope_not_allowed", message, status=403)


def _check_end(expires_at: datetime) -> None:
    now = timezone.now()
    if not now < expires_at <= now + timedelta(days=MAX_DAYS):
        message = f"Choose a moment in the future, at most {MAX_DAYS} days from now."
        raise TokenRefused("expires_at", "invalid", message)
