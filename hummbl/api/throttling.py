"""The rate limits as REST framework's throttles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rest_framework.throttling import BaseThrottle

from hummbl import ratelimit

if TYPE_CHECKING:
    # REST framework's views import this module.
    from rest_framework.request import Request
    from rest_framework.views import APIView


class ApiThrottle(BaseThrottle):
    """`RATE_LIMIT_API`, by user or address: what every view has unless it says otherwise."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the request. Raises RateLimited."""
        ratelimit.check_api(request._request, request.user)  # noqa: SLF001
        return True


class ExecuteThrottle(BaseThrottle):
    """`RATE_LIMIT_EXECUTE`, by user."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the request. Raises RateLimited."""
        ratelimit.check_execute(request._request, request.user)  # noqa: SLF001
        return True


class TelemetryThrottle(BaseThrottle):
    """`RATE_LIMIT_TELEMETRY`, by user or address."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the request. Raises RateLimited."""
        ratelimit.check_telemetry(request._request, request.user)  # noqa: SLF001
        return True


class AuthThrottle(BaseThrottle):
    """`RATE_LIMIT_AUTH`, by address and account, for views that take a password.

    The view's `auth_action` names the counter. The account is who is signed in, or the posted
    `email` unless the view says `auth_account = False`: one that nothing reads would only be a way
    to a counter of its own. Addresses that try ever new accounts meet `RATE_LIMIT_API`.
    """

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the attempt before anything is hashed. Raises RateLimited."""
        plain = request._request  # noqa: SLF001
        if request.method != "POST":
            ratelimit.check_api(plain, request.user)
            return True
        user: Any = request.user
        if user.is_authenticated:
            account = user.get_username()
        else:
            ratelimit.check_api(plain)
            account = _posted_account(request) if getattr(view, "auth_account", True) else ""
        action: str = getattr(view, "auth_action", "login")
        ratelimit.check_auth(plain, action, account)
        return True


def _posted_account(request: Request) -> str:
    email = request.data.get("email") if isinstance(request.data, Mapping) else None
    # Trimmed before it is cut, as it is before it is looked for: else blanks in front would make
    # another account of it.
    return email.strip()[:254] if isinstance(email, str) else ""


def count_denied(request: Request, view: APIView) -> None:
    """Count a call that was refused before its throttles ran. Raises RateLimited."""
    plain = request._request  # noqa: SLF001
    if view.throttle_classes and ratelimit.reading_of(plain) is None:
        ratelimit.check_api(plain, request.user)
