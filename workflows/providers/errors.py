"""What can go wrong in a call, in words for the person who runs the workflow.

Exceptions are told apart by class, status and machine-readable code. What the provider itself
says is repeated only where it helps to mend a request, and never with the key in it.
"""

import math
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from time import time
from urllib.parse import urlsplit

import httpx2
from pydantic_ai import exceptions as ai

from hummbl.outbound import OutboundRefused
from workflows.providers.addresses import LABELS
from workflows.providers.failure import ProviderError
from workflows.providers.types import CompletionRequest

_MAX_DETAIL = 300

# What a response of the wrong shape makes the SDKs and pydantic-ai stumble over.
_SHAPE_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
_CLIENT_ERRORS = (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OutboundRefused)
FAILURES = (ai.AgentRunError, ai.UserError, *_CLIENT_ERRORS, *_SHAPE_ERRORS)

# The status that stands for an error which came without one, inside a stream.
_CATEGORIES: dict[type[ai.ModelAPIError], int] = {
    ai.ModelAuthenticationError: 401,
    ai.ModelNotFoundError: 404,
    ai.ModelRequestRejectedError: 400,
    ai.ModelRateLimitError: 429,
    ai.ModelUnavailableError: 503,
    ai.ModelServerError: 500,
}
_TEMPORARY = {
    408: ("timeout", "timed out while it read the request"),
    409: ("server_error", "was busy with a conflicting request"),
    429: ("rate_limited", "asks to slow down"),
    503: ("overloaded", "is overloaded"),
    529: ("overloaded", "is overloaded"),
}
_REDIRECT = 300
_FINAL = {
    _REDIRECT: (
        "bad_request",
        "{name} answered with a redirect, which is not followed. Check the base URL of the key.",
    ),
    401: ("authentication", "{name} refused the key. Check it under Keys."),
    403: ("permission", "{name} does not let this key use {model}."),
    404: ("not_found", "{name} has no model named {model}, or this key may not use it."),
    413: ("too_large", "The request is larger than {inside} accepts. Shorten the prompt."),
}


class Explainer:
    """Turns the exceptions of one call into a :class:`ProviderError`."""

    def __init__(self, request: CompletionRequest, base_url: str) -> None:
        self.request = request
        self.host = urlsplit(base_url).hostname or base_url
        self.name = LABELS.get(request.provider, f"The provider at {self.host}")
        self.secret = request.credential.secret if request.credential else ""

    def explain(self, error: BaseException) -> ProviderError:
        """The error to raise instead; its sentence names the provider, the model or the host."""
        for cause in _chain(error):
            if isinstance(cause, OutboundRefused):
                return ProviderError(cause.message, code="outbound_refused")
        if isinstance(error, ai.ModelContextWindowExceededError) or _too_long(error):
            return self._too_long()
        if isinstance(error, ai.ModelQuotaExceededError):
            return ProviderError(
                f"Your {self._account()} account has no credit left or has reached its spending "
                "limit. Add credit there, or use another key.",
                code="quota",
            )
        status = _status(error)
        if status is not None:
            return self._by_status(status, error)
        if isinstance(error, ai.ModelConnectionError | httpx2.TransportError):
            return self._connection(error)
        if isinstance(error, ai.UnexpectedModelBehavior):
            return self.truncated()
        return self._unreadable()

    def timed_out(self) -> ProviderError:
        return ProviderError(
            f"{self.name} did not finish its answer within {self.request.timeout:g} seconds.",
            code="timeout",
            retryable=True,
            maybe_billed=True,
        )

    def truncated(self) -> ProviderError:
        return ProviderError(
            f"The answer of {self._name_inside()} ended before it was complete.",
            code="truncated",
            retryable=True,
            maybe_billed=True,
        )

    def filtered(self) -> ProviderError:
        return ProviderError(
            f"{self.name} withheld the answer because of its content rules. Rephrase the task.",
            code="content_filter",
            maybe_billed=True,
        )

    def wordless(self) -> ProviderError:
        return ProviderError(
            f"{self.name} asked for a tool instead of giving an answer, and there are no tools.",
            code="server_error",
            retryable=True,
            maybe_billed=True,
        )

    def _name_inside(self) -> str:
        """The provider's name within a sentence."""
        return self.name[0].lower() + self.name[1:] if self.name.startswith("The ") else self.name

    def _account(self) -> str:
        return LABELS.get(self.request.provider, self.host)

    def _by_status(self, status: int, error: BaseException) -> ProviderError:
        if status in _TEMPORARY or status >= 500:
            return self._temporary(status, error)
        if status not in _FINAL:
            return self._rejected(error)
        code, sentence = _FINAL[status]
        # Plain replacement: the name of a model comes from a user and is no template.
        for name, value in (("{name}", self.name), ("{inside}", self._name_inside())):
            sentence = sentence.replace(name, value)
        return ProviderError(sentence.replace("{model}", self.request.model), code=code)

    def _temporary(self, status: int, error: BaseException) -> ProviderError:
        code, what = _TEMPORARY.get(status, ("server_error", f"had an internal error ({status})"))
        return ProviderError(
            f"{self.name} {what}.",
            code=code,
            retryable=True,
            retry_after=retry_after(error),
            # Once an answer has begun, its tokens may be charged.
            maybe_billed=getattr(error, "in_stream", False),
        )

    def _connection(self, error: BaseException) -> ProviderError:
        phase = getattr(error, "phase", None)
        unsent = phase in {"pool", "connect"} or isinstance(error, httpx2.ConnectError)
        if isinstance(error, ai.ModelTimeoutError | httpx2.TimeoutException):
            message = f"{self.host} did not answer in time."
            return ProviderError(message, code="timeout", retryable=True, maybe_billed=not unsent)
        message = f"The connection to {self.host} broke before the answer was complete."
        if unsent:
            message = f"{self.host} could not be reached."
        return ProviderError(message, code="connection", retryable=True, maybe_billed=not unsent)

    def _too_long(self) -> ProviderError:
        return ProviderError(
            f"The prompt is longer than {self.request.model} can read. "
            "Shorten it, or choose a model with a larger context.",
            code="bad_request",
        )

    def _rejected(self, error: BaseException) -> ProviderError:
        detail = self._detail(error)
        return ProviderError(
            f"{self.name} refused the request{': ' + detail if detail else '.'}",
            code="bad_request",
        )

    def _unreadable(self) -> ProviderError:
        return ProviderError(
            f"{self.name} sent an answer that cannot be read.",
            code="server_error",
            retryable=True,
            maybe_billed=True,
        )

    def _detail(self, error: BaseException) -> str:
        """What the provider says is wrong with the request, if it says so, without the key."""
        body = getattr(error, "body", None)
        if isinstance(body, dict) and isinstance(body.get("error"), dict):
            body = body["error"]
        text = body.get("message") if isinstance(body, dict) else None
        if not isinstance(text, str):
            return ""
        if self.secret:
            text = text.replace(self.secret, "[key]")
        return " ".join(text.replace("\x00", "").split())[:_MAX_DETAIL]


def retry_after(error: BaseException) -> float | None:
    """Seconds that the provider asks to wait: its `Retry-After` as a number or an HTTP date."""
    headers = getattr(error, "headers", None) or {}
    asked: float | None = getattr(error, "retry_after", None)
    value = headers.get("retry-after", "")
    if asked is not None or not value:
        return asked
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time()
        except (ValueError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _status(error: BaseException) -> int | None:
    """The HTTP status of a refusal, or the one that stands for its category."""
    if isinstance(error, ai.ModelHTTPError):
        return error.status_code
    for category, status in _CATEGORIES.items():
        if isinstance(error, category):
            return status
    for cause in _chain(error):
        if 300 <= getattr(cause, "status_code", 0) < 400:
            return _REDIRECT
    return None


def _too_long(error: BaseException) -> bool:
    return getattr(error, "provider_error_type", None) == "exceed_context_size_error"
