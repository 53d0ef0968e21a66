"""What every answer has: an id that its log lines share, and a word on who may keep it."""

import logging
import re
import time
import uuid
from typing import Any, cast

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.functional import SimpleLazyObject

from hummbl import client
from hummbl.logging import ACCESS_LOGGER, context
from hummbl.pages import GetResponse, is_api

logger = logging.getLogger(ACCESS_LOGGER)

HEADER = "X-Request-ID"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._\-]{8,64}")
# Asked for every few seconds or a dozen times a page: logged only when something is wrong.
_QUIET_PATHS = ("/static/", "/api/health", "/metrics")
_TEXT = frozenset({"text/html", "text/css", "text/javascript", "image/svg+xml"})
# What no page of ours asks a browser for, nor anything that could be slipped into one.
_UNUSED_FEATURES = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=()"


class RequestIdMiddleware:
    """Take over a well-formed `X-Request-ID` or make one, bind it, answer with it, log the request.

    The access line has the path without its query, which may hold secrets.
    """

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started, request_id = time.perf_counter(), _request_id(request)
        with context(request_id=request_id), client.current(request):
            return _finish(request, self.get_response(request), request_id, started)


class PrivateMiddleware:
    """Answers are for whoever asked, and not for a cache between, unless a view says otherwise.

    Source: OWASP ASVS 5.0, 14.3.2. A browser keeps pages only to ask whether they still hold.
    """

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        kept = "private, no-store" if is_api(request) else "private, no-cache"
        response.setdefault("Cache-Control", kept)
        response.setdefault("Permissions-Policy", _UNUSED_FEATURES)
        return response


class CompressMiddleware(GZipMiddleware):
    """Compress pages, and static files that were not compressed when they were collected.

    The API's answers and live streams are sent as they are: what is kept short is sent soonest.
    The length of a page says nothing of its secrets: Django adds random bytes, and masks each
    token anew.
    """

    async_capable = False

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        """The response, compressed if it is text and the browser takes gzip."""
        if isinstance(response, FileResponse):
            response = _in_memory(response)
        kind = response.get("Content-Type", "").partition(";")[0]
        if kind not in _TEXT or response.status_code in {206, 304} or is_api(request):
            return response
        return super().process_response(request, response)


def _in_memory(response: FileResponse) -> HttpResponse:
    """A static file as an ordinary response: an event loop cannot read it piece by piece."""
    content = response.getvalue()
    if response.file_to_stream:
        response.file_to_stream.close()
    return HttpResponse(content, status=response.status_code, headers=response.headers)


def _request_id(request: HttpRequest) -> str:
    given = request.headers.get(HEADER, "")
    request_id = given if _WELL_FORMED.fullmatch(given) else uuid.uuid4().hex
    cast("Any", request).request_id = request_id
    return request_id


def _finish(
    request: HttpRequest, response: HttpResponseBase, request_id: str, started: float
) -> HttpResponseBase:
    response[HEADER] = request_id
    status = response.status_code
    if status < 400 and request.path.startswith(_QUIET_PATHS):
        return response
    logger.log(
        logging.ERROR if status >= 500 else logging.INFO,
        "%s %s %s",
        request.method,
        request.path,
        status,
        extra={
            "method": request.method,
            "path": request.path,
            "status": status,
            "seconds": round(time.perf_counter() - started, 4),
            "user_id": known_user_id(request),
        },
    )
    return response


def known_user_id(request: HttpRequest) -> str | None:
    """The id of a user whom the request has looked up already: never a query for a log line."""
    user = getattr(request, "_cached_user", None) or getattr(request, "_acached_user", None)
    if user is None:
        user = request.__dict__.get("user")
        if isinstance(user, SimpleLazyObject):
            return None
    return str(user.pk) if user is not None and user.pk else None
