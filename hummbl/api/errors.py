"""Every refusal of the API in one form: `{"error": sentence, "code": word, "details": {…}}`."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response

from hummbl import refusals
from hummbl.api import throttling
from hummbl.api.parsers import BodyTooLarge
from hummbl.errors import AppError, NotFound

_SENTENCES = {
    404: (NotFound.code, NotFound().message),
    413: (BodyTooLarge.code, BodyTooLarge().message),
    500: ("server_error", "Something broke on our side. It has been logged; please try again."),
}
_DENIED = (
    exceptions.NotAuthenticated,
    exceptions.AuthenticationFailed,
    exceptions.PermissionDenied,
)


class InvalidBody(AppError):
    """A body whose form is wrong. `problems` are path, code and message of each error."""

    code = "invalid"

    def __init__(self, problems: list[dict[str, str]]) -> None:
        super().__init__(_sentence(problems), details={"errors": problems})


def envelope(error: str, code: str, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The body of every error answer."""
    return {"error": error, "code": code, "details": dict(details or {})}


def json_error(
    request: HttpRequest,
    status: int,
    error: str = "",
    code: str = "",
    *,
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """An error answer made outside REST framework: by plain views, handlers and middleware.

    404, 413 and 500 have their own sentence and code. A 500 carries the request's id, under which
    the logs have the rest.
    """
    known_code, known_sentence = _SENTENCES.get(status, ("error", "The request was refused."))
    found = dict(details or {})
    if status >= 500:
        found.setdefault("request_id", getattr(request, "request_id", None))
    body = envelope(error or known_sentence, code or known_code, found)
    return HttpResponse(
        orjson.dumps(body), status=status, content_type="application/json", headers=headers
    )


def app_error(request: HttpRequest, error: AppError) -> HttpResponse:
    """The answer to an AppError outside REST framework."""
    return json_error(
        request,
        error.status_code,
        error.message,
        error.error_code,
        details=error.details,
        headers=error.headers,
    )


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's hook. None for what nobody foresaw: Django logs it and asks handler500."""
    if isinstance(exc, _DENIED):
        # The refusal came before the throttles, so it is counted here.
        try:
            throttling.count_denied(context["request"], context["view"])
        except AppError as refused:
            exc = refused
    error = _as_app_error(exc)
    if error is None:
        return None
    if error.status_code == 403:
        refusals.tell(context["request"], error.error_code)
    body = envelope(error.message, error.error_code, error.details)
    return Response(body, status=error.status_code, headers=error.headers)


def _as_app_error(exc: Exception) -> AppError | None:
    match exc:
        case AppError():
            return exc
        case exceptions.ValidationError():
            return InvalidBody(list(problems(exc.detail)))
        case DjangoValidationError():
            detail = exc.message_dict if hasattr(exc, "error_dict") else exc.messages
            return InvalidBody(list(problems(detail)))
        case Http404() | exceptions.NotFound():
            return NotFound()
        case PermissionDenied():
            return AppError("You may not do this.", code="forbidden", status=403)
        case RequestDataTooBig():
            return BodyTooLarge()
        case exceptions.APIException():
            return _from_api_exception(exc)
    return None


def _from_api_exception(exc: exceptions.APIException) -> AppError:
    headers = {}
    if challenge := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(wait))
    codes = exc.get_codes()
    return AppError(
        str(exc.detail),
        code=codes if isinstance(codes, str) else exc.default_code,
        status=exc.status_code,
        headers=headers,
    )


def problems(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Path, code and message of every error in REST framework's nested form.

    Paths read like `tasks[3].dependencies[0]`; the body itself is the empty path.
    """
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            yield from problems(value, _join(path, key))
    elif isinstance(detail, list | tuple):
        for index, value in enumerate(detail):
            leaf = not isinstance(value, Mapping | list | tuple)
            yield from problems(value, path if leaf else f"{path}[{index}]")
    else:
        yield {
            "path": path,
            "code": getattr(detail, "code", None) or "invalid",
            "message": str(detail),
        }


def _join(path: str, key: object) -> str:
    if key in {"non_field_errors", "__all__"}:
        return path
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else str(key)


def _sentence(found: list[dict[str, str]]) -> str:
    if not found:
        return "The request is not valid."
    first = found[0]
    return f"{first['path']}: {first['message']}" if first["path"] else first["message"]
