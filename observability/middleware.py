"""Every request as a metric: how long it took and how it ended, by the pattern of its address."""

import time
from datetime import UTC, datetime
from typing import Any, Final, cast

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from hummbl.logging import escape
from hummbl.middleware import known_user_id
from hummbl.pages import GetResponse
from hummbl.scrubbing import scrub_text
from observability import database, metrics, requests, routes
from observability.models import RequestSample
from observability.models.request_sample import MOST_PATH, MOST_ROUTE
from observability.names import REQUEST_COUNT, REQUEST_DURATION, REQUEST_ERRORS

# A client may send any word as its method.
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER: Final = "OTHER"


class MetricsMiddleware:
    """Measure each request until its answer begins; what a live stream sends later is not in it.

    Static files are left out, as in the access log: they would hide how fast pages are.
    """

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        database.measure()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        with database.tally() as counted:
            response = self.get_response(request)
        seconds = time.perf_counter() - started
        if response.status_code >= 400 or not request.path.startswith(settings.STATIC_URL):
            _note(request, response.status_code, seconds, counted.statements)
        return response


def _note(request: HttpRequest, status: int, seconds: float, queries: int) -> None:
    route = routes.of(request.resolver_match)
    method = request.method if request.method in _METHODS else _OTHER
    status_class = f"{status // 100}xx"
    metrics.record(REQUEST_DURATION, seconds, route=route, method=method, status=status_class)
    metrics.count(REQUEST_COUNT, route=route, method=method, status=status_class)
    if status >= 500:
        metrics.count(REQUEST_ERRORS, route=route, method=method)
    if status >= 500 or seconds >= requests.SLOW_SECONDS:
        requests.offer(_sample(request, route, method, status, seconds, queries))


def _sample(
    request: HttpRequest, route: str, method: str, status: int, seconds: float, queries: int
) -> RequestSample:
    return RequestSample(
        at=datetime.now(UTC),
        route=route[:MOST_ROUTE],
        method=method,
        path=escape(scrub_text(request.path))[:MOST_PATH],
        status=status,
        seconds=seconds,
        queries=queries,
        request_id=cast("Any", request).request_id,
        user_id=known_user_id(request),
    )
