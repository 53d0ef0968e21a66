"""How a browser is signed in: Django's session, and the row of `Session` that can be ended.

Django's session names the row, and the row is the authority: one that is missing, expired or of a
deactivated user signs the browser out at its next request. It is read together with the user, so
a page costs no more queries than with Django's own middleware.
"""

from functools import partial
from typing import Any, Final, cast

from asgiref.sync import sync_to_async
from django.contrib import auth
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, middleware
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject

from accounts.models import Session, User
from hummbl import client

ROW_KEY: Final = "_session_id"


def begin(request: HttpRequest, user: User) -> None:
    """Sign the browser in as that user: a new key, and a row that says where it came from."""
    if SESSION_KEY in request.session:
        # Whoever was signed in here is not any more. Django would keep the key for the same user.
        request.session.flush()
    auth.login(request, user)
    session = Session.open_for_browser(
        user,
        str(request.session.session_key),
        ip=client.address(request),
        user_agent=client.user_agent(request),
    )
    request.session[ROW_KEY] = str(session.pk)
    _remember(request, session)
    cast("Any", request)._cached_user = user  # noqa: SLF001


def renew(request: HttpRequest, session: Session) -> None:
    """Give the browser's session a new key: after the password was given again or changed."""
    # It holds a hash of the password, too.
    auth.update_session_auth_hash(request, session.user)
    session.move_to(str(request.session.session_key))


def session_of(request: HttpRequest) -> Session | None:
    """The living session that the cookie stands for, with its user; None for a stranger."""
    if not hasattr(request, "_cached_session"):
        _remember(request, _find(request))
    return cast("Session | None", cast("Any", request)._cached_session)  # noqa: SLF001


def user_of(request: HttpRequest) -> User | AnonymousUser:
    """Who sends the request. Kept under the name by which the access log looks for it."""
    if not hasattr(request, "_cached_user"):
        session = session_of(request)
        cast("Any", request)._cached_user = session.user if session else AnonymousUser()  # noqa: SLF001
    return cast("User | AnonymousUser", cast("Any", request)._cached_user)  # noqa: SLF001


class AuthenticationMiddleware(middleware.AuthenticationMiddleware):
    """Django's, with our look at who is signed in."""

    def process_request(self, request: HttpRequest) -> None:
        """Set `request.user`, which asks the database when it is first looked at."""
        super().process_request(request)
        found: Any = request
        found.user = SimpleLazyObject(partial(user_of, request))
        found.auser = partial(sync_to_async(user_of), request)


def _find(request: HttpRequest) -> Session | None:
    kept = request.session
    if SESSION_KEY not in kept:
        return None
    session = Session.from_browser(kept.get(ROW_KEY), kept[SESSION_KEY], str(kept.session_key))
    if session is None or not _same_password(kept, session.user):
        kept.flush()
        return None
    session.touch()
    return session


def _same_password(kept: Any, user: User) -> bool:
    """Whether the password is the one that the browser was signed in with."""
    return constant_time_compare(kept.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())


def _remember(request: HttpRequest, session: Session | None) -> None:
    cast("Any", request)._cached_session = session  # noqa: SLF001
