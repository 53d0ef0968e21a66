"""The landing page, and the pages that say what went wrong."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from hummbl import refusals
from hummbl.errors import AppError

GetResponse = Callable[[HttpRequest], HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Problem:
    """What an error page says: what happened, and what to do about it."""

    icon: str
    title: str
    text: str
    code: str


PROBLEMS = {
    400: Problem(
        "circle-alert",
        "That request made no sense to us",
        "Something in the address or the form could not be read. Go back and try it again.",
        "bad_request",
    ),
    403: Problem(
        "shield-x",
        "You may not do this",
        "Your role does not include it. Ask an admin, or sign in with another account.",
        "forbidden",
    ),
    404: Problem(
        "search-x",
        "There is nothing here",
        "The page was moved or deleted, or it belongs to someone who has not shared it with you.",
        "not_found",
    ),
    405: Problem(
        "circle-alert",
        "That does not work from here",
        "This address takes another kind of request. Go back and use the button on the page.",
        "method_not_allowed",
    ),
    409: Problem(
        "triangle-alert",
        "Something changed in the meantime",
        "Go back, reload the page and try again.",
        "conflict",
    ),
    413: Problem(
        "circle-alert",
        "That is too much at once",
        "A form may hold at most 1 MB. Shorten what you sent and try again.",
        "too_large",
    ),
    429: Problem(
        "timer",
        "That was a little fast",
        "There is a limit on how often this may be done, and you have reached it.",
        "rate_limited",
    ),
    500: Problem(
        "server-crash",
        "Something broke on our side",
        "It was not you. The error is in the log under the request id below; trying again in a "
        "moment often helps.",
        "server_error",
    ),
}
CSRF = Problem(
    "shield-x",
    "This form is no longer valid",
    "It was open for too long, you signed in or out in another tab, or your browser blocks "
    "cookies. Go back, reload the page and send it again. Nothing was changed.",
    "csrf_failed",
)


def is_api(request: HttpRequest) -> bool:
    """Whether the client of this request expects JSON, also when something went wrong."""
    return request.path.startswith("/api/") or request.path == "/api"


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """The product for strangers; the dashboard for who is signed in."""
    if request.user.is_authenticated:
        return redirect(settings.LOGIN_REDIRECT_URL)
    return render(request, "landing.html", {"registration_open": settings.REGISTRATION_OPEN})


def problem_page(
    request: HttpRequest,
    status: int,
    problem: Problem | None = None,
    *,
    sentence: str = "",
    retry_after: int | None = None,
) -> HttpResponse:
    """An error as a page, as JSON under /api/, as a line of text for htmx, which shows it so.

    Rendered without context processors: it needs neither the database nor the session, which
    may be what failed. `sentence` replaces the advice; `retry_after` is in seconds.
    """
    problem = problem or PROBLEMS.get(status, PROBLEMS[500 if status >= 500 else 400])
    if is_api(request):
        # Imported here: the API's errors know its limits, and the limits show pages.
        from hummbl.api.errors import json_error

        text = sentence or f"{problem.title}. {problem.text}"
        return json_error(request, status, text, problem.code)
    if request.headers.get("HX-Request") == "true":
        line = sentence or f"{problem.title}. {problem.text}"
        return HttpResponse(line, status=status, content_type="text/plain; charset=utf-8")
    context = {
        "request": request,
        "request_id": getattr(request, "request_id", ""),
        "status": status,
        "reason": HTTPStatus(status).phrase,
        "problem": problem,
        "sentence": sentence or problem.text,
        "retry_after": retry_after,
        "again": request.get_full_path()
        if request.method == "GET" and status in {429, 500}
        else "",
    }
    return HttpResponse(render_to_string("error.html", context), status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The page for a request that Django could not or would not read."""
    status = 413 if isinstance(exception, RequestDataTooBig) else 400
    return problem_page(request, status)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The page for something the role does not allow. The exception's text is for the log."""
    refusals.tell(request, "forbidden")
    return problem_page(request, 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The page for what is not there, or not for this person."""
    return problem_page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """The page for an error of ours."""
    return problem_page(request, 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page for a form without a valid CSRF token. The reason goes to Django's own log.

    A form that was too large has none either: its body was withheld (`hummbl.body`).
    """
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and int(length) > (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0):
        return problem_page(request, 413)
    return problem_page(request, 403, CSRF)


class ErrorPagesMiddleware:
    """Turns refusals of the apps into pages, and gives the empty 405 of a view a body."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return _explain_405(request, self.get_response(request))

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The page of an `AppError`; its sentence is meant to be read."""
        if not isinstance(exception, AppError):
            return None
        if exception.status_code == 403:
            refusals.tell(request, exception.error_code)
        if is_api(request):
            from hummbl.api.errors import app_error

            return app_error(request, exception)
        retry_after = exception.headers.get("Retry-After", "")
        response = problem_page(
            request,
            exception.status_code,
            sentence=exception.message,
            retry_after=int(retry_after) if retry_after.isdigit() else None,
        )
        for name, value in exception.headers.items():
            response[name] = value
        return response


def _explain_405(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if response.status_code != 405 or is_api(request):
        return response
    page = problem_page(request, 405)
    page["Allow"] = response.get("Allow", "")
    return page
