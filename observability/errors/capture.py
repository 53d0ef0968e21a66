"""Taking an exception in: its fingerprint, its count, and so many whole reports a minute.

Who captures does not wait: what it costs is a look at the traceback and, for the few that are
kept whole, a copy of it. What is secret is removed when they are written (`storing`).
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from types import CodeType
from typing import Any, Final

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest
from structlog.contextvars import get_contextvars

from hummbl.middleware import known_user_id
from observability import metrics, names
from observability.errors import fingerprint
from observability.errors.fingerprint import Fingerprint
from observability.errors.frames import Raised, chain_of, codes_of, frames_of, message_of, type_of
from observability.errors.pending import Gathered, Report, pending
from observability.models.error import ErrorSource
from observability.models.severity import Severity

logger = logging.getLogger(__name__)

# What an error counts for when nobody says it. A worker's is logged where the worker goes on;
# what ends it is critical, and so is, wherever it happens, what keeps everything from working.
SEVERITIES: Final[Mapping[str, str]] = {
    ErrorSource.REQUEST: Severity.HIGH.value,
    ErrorSource.TASK: Severity.HIGH.value,
    ErrorSource.WORKER: Severity.HIGH.value,
    ErrorSource.COMMAND: Severity.MEDIUM.value,
    ErrorSource.BROWSER: Severity.MEDIUM.value,
    ErrorSource.VISITOR: Severity.MEDIUM.value,
}
CRITICAL: Final = (OperationalError, InterfaceError, MemoryError)

_MARK: Final = "_hummbl_captured"
_MOST_KINDS: Final = 2000
_kinds: dict[tuple[object, ...], tuple[Fingerprint, list[CodeType]]] = {}


def capture(
    exc: BaseException, *, source: str, severity: str | None = None, **context: Any
) -> None:
    """Count the exception; the same one only once. It is written with the next metrics.

    `source` is one of `ErrorSource`, `severity` of `Severity`; None takes the one of SEVERITIES.
    `context` becomes part of the report: `request`, `user_id` and `execution_id` are known, and the
    ids of the request and execution under way come by themselves; the rest are texts.
    """
    note(exc, source, severity, context, forward=True)


def note(
    exc: BaseException,
    source: str,
    severity: str | None,
    context: dict[str, Any],
    *,
    forward: bool,
) -> None:
    """As `capture`; `forward` says that Sentry's SDK does not see this one by itself."""
    try:
        if not getattr(exc, _MARK, False):
            exc.__dict__[_MARK] = True
            _note(exc, source, severity or _severity(exc, source), context, forward=forward)
    except Exception as failure:  # noqa: BLE001 - an error must not become two
        logger.warning("An error could not be captured: %r", failure)


def count(source: str, severity: str, *, is_new: bool) -> None:
    """Tell the metrics; what is new is written at once."""
    metrics.count(names.ERRORS_CAPTURED, source=source, severity=severity)
    if is_new:
        metrics.wake()


def _note(
    exc: BaseException, source: str, severity: str, context: dict[str, Any], *, forward: bool
) -> None:
    request = context.get("request")
    user_id = context.get("user_id") or (request and known_user_id(request))
    # That of a task is whoever runs the execution.
    user_id = user_id or get_contextvars().get("user_id")

    def begin(kind: Fingerprint, at: float) -> Gathered:
        frames = frames_of(exc.__traceback__)
        return Gathered(
            fingerprint=kind,
            source=source,
            severity=severity,
            forward=forward,
            first=at,
            last=at,
            type=type(exc).__qualname__,
            message=message_of(exc),
            culprit=fingerprint.culprit(frames),
        )

    def report(at: datetime) -> Report:
        return _report(exc, at, context, user_id and str(user_id))

    kind = _kind(exc)
    is_new = pending.note(kind, severity, user_id and str(user_id), begin=begin, report=report)
    count(source, severity, is_new=is_new)


def _kind(exc: BaseException) -> Fingerprint:
    """The fingerprint, looked up by the functions themselves: in a storm it is the same again."""
    codes = list(codes_of(exc.__traceback__))
    key = (type(exc), *map(id, codes))
    if codes and (known := _kinds.get(key)):
        return known[0]
    raised = Raised(type_of(exc), message_of(exc), frames_of(exc.__traceback__))
    kind = fingerprint.of("python", raised)
    if codes:
        if len(_kinds) >= _MOST_KINDS:
            _kinds.clear()
        # The functions are kept too, so that no other ever has their ids.
        _kinds[key] = kind, codes
    return kind


def _severity(exc: BaseException, source: str) -> str:
    return Severity.CRITICAL.value if isinstance(exc, CRITICAL) else SEVERITIES[source]


def _report(
    exc: BaseException, at: datetime, context: dict[str, Any], user_id: str | None
) -> Report:
    around = get_contextvars()
    given = dict(context)
    request = given.pop("request", None)
    given.pop("user_id", None)
    request_id = given.pop("request_id", "") or around.get("request_id", "")
    execution_id = given.pop("execution_id", None) or around.get("execution_id")
    return Report(
        at=at,
        chain=chain_of(exc),
        context=(_of_request(request) if request else {}) | given,
        request_id=str(request_id),
        user_id=user_id,
        execution_id=str(execution_id) if execution_id else None,
    )


def _of_request(request: HttpRequest) -> dict[str, Any]:
    """The request without its query, headers and body, which are where secrets travel."""
    match = request.resolver_match
    return {
        "method": request.method,
        "path": request.path,
        "route": f"/{match.route}" if match else "",
    }
