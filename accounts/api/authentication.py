"""How a request of the API says who sends it."""

from typing import Any, cast

from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import (
    BaseAuthentication,
    SessionAuthentication,
    get_authorization_header,
)
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from accounts import browser
from accounts.models import Session, User


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>` (RFC 6750); `request.auth` is then the Session.

    The token is read from this header alone: a cookie or an address would leak it.
    """

    def authenticate(self, request: Request) -> tuple[User, Session] | None:
        """The token's user and session. Raises AuthenticationFailed; None without a token."""
        scheme, _, token = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        session = Session.from_token(token.strip().decode("ascii", errors="replace"))
        if session is None:
            raise AuthenticationFailed(
                "The token is not valid or no longer valid. Sign in again.", code="invalid_token"
            )
        session.touch()
        return session.user, session

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401."""
        return "Bearer"


class CookieAuthentication(SessionAuthentication):
    """The browser's session, with a CSRF token on every unsafe method; `request.auth` is it."""

    def authenticate(self, request: Request) -> tuple[User, Session] | None:
        """The user and the session of the cookie. Raises PermissionDenied; None for a stranger."""
        session = browser.session_of(request._request)  # noqa: SLF001
        if session is None:
            return None
        self.enforce_csrf(request)
        return session.user, session

    def enforce_csrf(self, request: Request) -> None:
        """Raises PermissionDenied with the code `csrf_failed`."""
        try:
            super().enforce_csrf(request)
        except PermissionDenied as error:
            raise PermissionDenied(
                "The CSRF token is missing or wrong. Send it as X-CSRFToken, or a bearer token.",
                code="csrf_failed",
            ) from error


def user_of(request: Request) -> User:
    """The signed-in user, in a view that lets nobody else in."""
    return cast("User", request.user)


def session_in_use(request: Request) -> Session:
    """The session that a request of someone signed in came with."""
    return cast("Session", request.auth)


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The bearer token in the OpenAPI document."""

    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """The security scheme."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class CookieScheme(SessionScheme):  # type: ignore[no-untyped-call]
    """The session cookie in the OpenAPI document."""

    target_class = CookieAuthentication  # type: ignore[assignment]
    name = "cookie"
