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
from accounts.api.scopes import require_scopes
from accounts.models import PREFIX, AccessToken, Session, User
from accounts.reauthentication import require_session


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>` (RFC 6750); `request.auth` is the Session or AccessToken.

    The token is read from this header alone: a cookie or an address would leak it.
    """

    def authenticate(self, request: Request) -> tuple[User, Session | AccessToken] | None:
        """Whose token it is, and what it stands for; None without a token.

        Raises AuthenticationFailed, and for an access token what `require_scopes` does.
        """
        scheme, _, rest = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        token = rest.strip().decode("ascii", errors="replace")
        if token.startswith(PREFIX):
            return _by_access_token(request, token)
        session = Session.from_token(token)
        if session is None:
            raise _invalid_token()
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


def _by_access_token(request: Request, secret: str) -> tuple[User, AccessToken]:
    token = AccessToken.from_secret(secret)
    if token is None:
        raise _invalid_token()
    token.touch()
    # Known from here on, so that a refusal is counted and logged as the user's.
    request.user, request.auth = token.user, token
    require_scopes(request, token)
    return token.user, token


def _invalid_token() -> AuthenticationFailed:
    """The same for what is unknown, expired or of a deactivated user."""
    return AuthenticationFailed(
        "The token is not valid or no longer valid. Sign in again.", code="invalid_token"
    )


def user_of(request: Request) -> User:
    """The signed-in user, in a view that lets nobody else in."""
    return cast("User", request.user)


def session_in_use(request: Request) -> Session:
    """The session that a request of someone signed in came with.

    Raises TokenNotAllowed for an access token, which is nobody's session.
    """
    return require_session(request.auth)


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The bearer token in the OpenAPI document."""

    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """The security scheme."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": (
                "The `token` of a sign-in, which is a JWT and may do what the person may; or a "
                "personal access token, `hummbl_…`, which may do what its scopes say."
            ),
        }


class CookieScheme(SessionScheme):  # type: ignore[no-untyped-call]
    """The session cookie in the OpenAPI document."""

    target_class = CookieAuthentication  # type: ignore[assignment]
    name = "cookie"
