"""Everything that nobody catches, and everything that is logged with its traceback.

Requests that break, tasks, duties, writers and libraries all end in a log line with the exception;
what ends a process or a thread ends in Python's hooks. Sentry's SDK listens at the same places.
"""

import logging
import sys
import threading
from typing import Final

from django.http import HttpRequest

from hummbl import client
from hummbl import logging as hummbl_logging
from observability import metrics
from observability.errors import storing
from observability.errors.capture import note
from observability.models.error import ErrorSource
from observability.models.severity import Severity

# Requests that are refused for what the client sent.
_CLIENTS_FAULT: Final = "django.security"


def install() -> None:
    """Listen from now on, and write with the metrics. Call it once in a process."""
    hummbl_logging.listen(hear)
    metrics.on_flush(storing.write)
    _hook_process()
    _hook_threads()


def hear(record: logging.LogRecord) -> None:
    """Capture the exception of a log line; one without an exception is only a line."""
    exc = record.exc_info[1] if record.exc_info else None
    if exc is None or record.name.startswith(_CLIENTS_FAULT):
        return
    request = getattr(record, "request", None) or client.current_request()
    if isinstance(request, HttpRequest):
        note(exc, ErrorSource.REQUEST, _severity(record), {"request": request}, forward=False)
        return
    context = {"logger": record.name, "thread": record.threadName}
    source = process_source()
    if task_id := getattr(record, "task_id", None):
        source, context["task_id"] = ErrorSource.TASK, task_id
    note(exc, source, _severity(record), context, forward=False)


def process_source() -> ErrorSource:
    """What this process is, by the command that it was started with."""
    program, *arguments = sys.argv or [""]
    # Without pathlib, which would take longer than all else that is done with a repeated error.
    is_command = program.rpartition("/")[2] in {"manage.py", "django-admin"}
    if not is_command or arguments[:1] == ["runserver"]:
        return ErrorSource.REQUEST
    return ErrorSource.WORKER if arguments[:1] == ["worker"] else ErrorSource.COMMAND


def _severity(record: logging.LogRecord) -> str | None:
    return Severity.CRITICAL.value if record.levelno >= logging.CRITICAL else None


def _hook_process() -> None:
    before = sys.excepthook

    def hook(kind: type[BaseException], exc: BaseException, traceback: object) -> None:
        if isinstance(exc, Exception):
            source = process_source()
            severity = None if source == ErrorSource.COMMAND else Severity.CRITICAL.value
            command = " ".join(sys.argv[1:2])
            note(exc, source, severity, {"command": command}, forward=False)
        before(kind, exc, traceback)  # type: ignore[arg-type]

    sys.excepthook = hook


def _hook_threads() -> None:
    before = threading.excepthook

    def hook(args: threading.ExceptHookArgs) -> None:
        if isinstance(args.exc_value, Exception):
            thread = args.thread.name if args.thread else ""
            note(args.exc_value, process_source(), None, {"thread": thread}, forward=False)
        before(args)

    threading.excepthook = hook
