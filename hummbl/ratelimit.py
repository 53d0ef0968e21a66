"""Limits on how often a user or an address may ask, set like `5/m`.

An empty limit or `0` means none. Windows are fixed: they begin with the first request.
"""

import math
import re
import time
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from hummbl import client, counters
from hummbl.errors import AppError
from hummbl.pages import GetResponse, is_api, problem_page

# How much looser the limit of an account is than that of an account and an address together:
# one stranger alone cannot lock its owner out.
ACCOUNT_FACTOR = 4

_RATE = re.compile(r"([1-9][0-9]*)/([1-9][0-9]*)?([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_STATIC = "/static/"


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in so many seconds."""

    count: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> "Limit | None":
        """From `5/m` or `100/10m` (s, m, h or d), None when unlimited.

        Raises ImproperlyConfigured.
        """
        if text.strip() in {"", "0"}:
            return None
        match = _RATE.fullmatch(text.strip())
        if match is None:
            raise ImproperlyConfigured(
                f"{text!r} is no rate limit. Write it like 5/m, or 0 for none."
            )
        return cls(int(match[1]), int(match[2] or 1) * _UNITS[match[3]])


@dataclass(frozen=True, slots=True)
class Reading:
    """Where a client stands with a limit; `expires` is Unix time in seconds."""

    limit: int
    remaining: int
    expires: float

    @property
    def wait(self) -> int:
        """Whole seconds until the limit begins anew, at least one."""
        return max(1, math.ceil(self.expires - time.time()))

    def headers(self) -> dict[str, str]:
        """What every answer of the API says about it."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(math.ceil(self.expires)),
        }


class RateLimited(AppError):
    """Too many requests; Retry-After says when the next one is welcome."""

    status = 429
    code = "rate_limited"

    def __init__(self, reading: Reading) -> None:
        wait = reading.wait
        unit = "second" if wait == 1 else "seconds"
        super().__init__(
            f"Too many requests. Try again in {wait} {unit}.",
            details={"retry_after": wait},
            headers={"Retry-After": str(wait), **reading.headers()},
        )
        self.retry_after = wait


def check_auth(request: HttpRequest, action: str, account: str) -> None:
    """Count an attempt to prove who one is, before a password is hashed. Raises RateLimited.

    By address and account together, then, looser, by account alone. `action` names what has
    counters of its own: `login`, `register`, `password`.
    """
    limit = Limit.parse(settings.RATE_LIMIT_AUTH)
    # Letters that a database takes for the same must not be counted apart: ſ is an S to PostgreSQL.
    account = account.strip().upper().casefold()
    _count(request, limit, "auth", action, client.network(request), account)
    if limit and account:
        _count(
            request, Limit(limit.count * ACCOUNT_FACTOR, limit.seconds), "account", action, account
        )


def check_execute(request: HttpRequest, user: Any) -> None:
    """Count an execution that is asked for. Raises RateLimited."""
    limit = Limit.parse(settings.RATE_LIMIT_EXECUTE)
    _count(request, limit, "execute", identity(request, user))


def check_api(request: HttpRequest, user: Any = None) -> None:
    """Count any other call of the API. Raises RateLimited."""
    _count(request, Limit.parse(settings.RATE_LIMIT_API), "api", identity(request, user))


def check_pages(request: HttpRequest, user: Any = None) -> None:
    """Count a page. Raises RateLimited."""
    _count(request, Limit.parse(settings.RATE_LIMIT_PAGES), "pages", identity(request, user))


def check_telemetry(request: HttpRequest, user: Any = None) -> None:
    """Count what a page tells of itself. Raises RateLimited."""
    limit = Limit.parse(settings.RATE_LIMIT_TELEMETRY)
    _count(request, limit, "telemetry", identity(request, user))


def identity(request: HttpRequest, user: Any) -> str:
    """Whom a limit counts: the user who is signed in, else the address."""
    if user is not None and user.is_authenticated:
        return f"user {user.pk}"
    return f"address {client.network(request)}"


def reading_of(request: HttpRequest) -> Reading | None:
    """The tightest limit that this request was counted against."""
    return cast("Reading | None", getattr(request, "rate_limit", None))


def _count(request: HttpRequest, limit: Limit | None, *key: str) -> None:
    if limit is None:
        return
    count, expires = counters.hit("\0".join(key), limit.seconds)
    reading = Reading(limit.count, max(0, limit.count - count), expires)
    tightest = reading_of(request)
    if tightest is None or reading.remaining <= tightest.remaining:
        cast("Any", request).rate_limit = reading
    if count > limit.count:
        raise RateLimited(reading)


class RateLimitMiddleware:
    """Counts pages by user or address, and tells API clients where they stand.

    The API is counted by its throttles, which know who a bearer token belongs to.

    It is the innermost middleware and synchronous, as our views are: so Django runs the whole chain
    in one thread, where it would else change threads twice for each of its own middlewares.
    """

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return _announce(request, self.get_response(request))

    def process_view(
        self, request: HttpRequest, _view: object, _args: object, _kwargs: object
    ) -> HttpResponse | None:
        """The 429 page for who asks for too many."""
        if is_api(request) or request.path.startswith(_STATIC):
            return None
        try:
            check_pages(request, getattr(request, "user", None))
        except RateLimited as refused:
            page = problem_page(
                request, 429, sentence=refused.message, retry_after=refused.retry_after
            )
            page["Retry-After"] = str(refused.retry_after)
            return page
        return None


def _announce(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    reading = reading_of(request)
    if reading is not None and is_api(request):
        for name, value in reading.headers().items():
            response[name] = value
    return response
