"""Errors that a browser has reported: whatever they say is a stranger's word.

Those of visitors, who are not signed in, are groups of their own: so they can neither push the
reports of others out, nor bring back what was resolved, nor make it look worse.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from structlog.contextvars import get_contextvars

from observability.errors import fingerprint
from observability.errors.capture import SEVERITIES, count
from observability.errors.fingerprint import Fingerprint
from observability.errors.frames import Frame, Raised
from observability.errors.pending import Gathered, Report, pending
from observability.models.error import ErrorSource
from observability.models.severity import Severity

MOST_FRAMES: Final = 40
MOST_STACK_LENGTH: Final = 16_000
MOST_ENTRIES: Final = 10

# Chromium: "    at paint (https://host/static/js/dag.js:12:7)", or without a function.
_CHROMIUM: Final = re.compile(r"^\s*at (?:async )?(?:(.+?) \()?([^\s()]+?):(\d+):\d+\)?$")
# Firefox and Safari: "paint@https://host/static/js/dag.js:12:7".
_OTHERS: Final = re.compile(r"^([^@\s]*)@(\S+?):(\d+):\d+$")
_TYPE: Final = re.compile(r"^(?:Uncaught (?:\(in promise\) )?)?([A-Z]\w*(?:Error|Exception)): *")
# What collecting static files puts into their names.
_HASH: Final = re.compile(r"\.[0-9a-f]{12}(?=\.\w+$)")
_VARIABLE: Final = re.compile(r"/(?:[0-9a-f]{8}-[0-9a-f-]{27}|\d+)(?=/|$)")


def capture_browser(
    message: str,
    stack: str = "",
    severity: str | None = None,
    context: Mapping[str, Any] | None = None,
    user: Any = None,
) -> None:
    """Count an error of a page. `severity` is one of `Severity`; None, and any other, is medium."""
    user_id = str(user.pk) if user is not None and user.pk else None
    source = ErrorSource.BROWSER if user_id else ErrorSource.VISITOR
    known = severity if severity in Severity else SEVERITIES[source]
    raised = _raised(message, stack)

    def begin(kind: Fingerprint, at: float) -> Gathered:
        return Gathered(
            fingerprint=kind,
            source=source.value,
            severity=str(known),
            forward=True,
            first=at,
            last=at,
            type=raised.type,
            message=raised.message,
            culprit=fingerprint.culprit(raised.frames),
        )

    def report(at: datetime) -> Report:
        entries = list((context or {}).items())[:MOST_ENTRIES]
        request_id = str(get_contextvars().get("request_id", ""))
        return Report(at, [raised], dict(entries), request_id, user_id)

    kind = fingerprint.of(source.value, raised)
    is_new = pending.note(kind, str(known), user_id, begin=begin, report=report)
    count(source, str(known), is_new=is_new)


def _raised(message: str, stack: str) -> Raised:
    found = _TYPE.match(message)
    kind = found[1] if found else "Error"
    text = message[found.end() :] if found else message
    lines = stack[:MOST_STACK_LENGTH].splitlines()
    frames = [frame for line in lines if (frame := _frame(line))][:MOST_FRAMES]
    return Raised(kind, text, frames[::-1])


def _frame(line: str) -> Frame | None:
    found = _CHROMIUM.match(line) or _OTHERS.match(line)
    if not found:
        return None
    function, address, number = found.groups()
    path, in_app = _file(address)
    return Frame(path, function or "<module>", int(number[:9]), in_app)


def _file(address: str) -> tuple[str, bool]:
    """The file without host, query, version and ids, as on every installation; whether it is ours.

    Extensions of browsers and vendored libraries are not.
    """
    try:
        scheme, _, path, _, _ = urlsplit(address)
    except ValueError:
        return "<unknown>", False
    path = _VARIABLE.sub("/{id}", _HASH.sub("", path))[:200] or "/"
    return path, scheme in {"http", "https"} and "/vendor/" not in path
