"""The standard library's loggers, rendered by structlog.

Modules use `logging.getLogger(__name__)` and never structlog itself. `console` is for people,
`json` writes one object a line. What :func:`context` binds (request id, execution id) stands on
every line written below it, in threads and tasks started there too.
"""

import logging
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from hummbl.scrubbing import REDACTED, is_secret_name, scrub, scrub_text
from hummbl.tracebacks import Tracebacks

FORMATS = ("console", "json")
ACCESS_LOGGER = "hummbl.access"

context = structlog.contextvars.bound_contextvars

# Fields have few names, and the same on each line.
_is_secret = lru_cache(256)(is_secret_name)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


Listener = Callable[[logging.LogRecord], None]
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Call this with each line of level ERROR and above; a second time changes nothing."""
    if listener not in _listeners:
        _listeners.append(listener)


class ListenerHandler(logging.Handler):
    """Tells the listeners, which apps register from their `AppConfig.ready()`."""

    def emit(self, record: logging.LogRecord) -> None:
        """Tell them; whoever logs goes on whatever they do."""
        try:
            for listener in _listeners:
                listener(record)
        except Exception:  # noqa: BLE001 - what every handler does
            self.handleError(record)


def config(log_format: str, level: str = "INFO") -> dict[str, Any]:
    """The LOGGING dictionary. Raises ValueError for an unknown format."""
    if log_format not in FORMATS:
        raise ValueError(f"LOG_FORMAT is {log_format!r}. Set it to console or json.")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structlog": {"()": formatter, "log_format": log_format}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "structlog"},
            "listeners": {"()": ListenerHandler, "level": "ERROR"},
        },
        "root": {"handlers": ["stderr", "listeners"], "level": level},
        "loggers": {
            # Django's own handlers would write every line a second time.
            "django": {"handlers": [], "level": level, "propagate": True},
            # The access log has every refused request; a traceback is for what broke.
            "django.request": {"level": "ERROR"},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            # Scanners send any Host; the access line has the 400.
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            # It tells that there is no .env file, which is the usual case.
            "environ": {"level": "WARNING"},
            # It tells of every job that begins and ends.
            "procrastinate": {"level": "WARNING"},
            # They log whole URLs of outbound calls.
            "httpx": {"level": "WARNING"},
            "httpx2": {"level": "WARNING"},
        },
    }


def formatter(log_format: str) -> structlog.stdlib.ProcessorFormatter:
    """The formatter of one format, for the standard library's handlers."""
    render: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        Tracebacks(),
        redact,
    ]
    if log_format == "json":
        render.append(structlog.processors.JSONRenderer(serializer=_json))
    else:
        render += [shorten_access_lines, escape_control_characters, _console_renderer()]
    return structlog.stdlib.ProcessorFormatter(
        processors=render,
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
    )


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Remove secrets from the message, the traceback and every bound value."""
    # Django attaches the whole request to its records; the access line says what matters of it.
    # uvicorn attaches its message once more, in colour.
    for name in ("request", "color_message"):
        event.pop(name, None)
    for name, value in event.items():
        if value is None or name == "timestamp" or isinstance(value, bool | int | float):
            continue
        if isinstance(value, str | bytes | dict | list | tuple | set | frozenset):
            event[name] = REDACTED if _is_secret(name) else scrub(value)
        else:
            event[name] = scrub_text(str(value))
    return event


def shorten_access_lines(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Leave out the fields that the sentence of an access line has already."""
    if event.get("logger") == ACCESS_LOGGER:
        for name in ("method", "path", "status"):
            event.pop(name, None)
    return event


def escape_control_characters(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Keep one record on one line, so that no input can forge another record.

    Tracebacks keep their lines, each indented: no line of theirs begins like a record.
    """
    for name, value in event.items():
        if not isinstance(value, str):
            continue
        if name in {"exception", "stack"}:
            lines = [escape(line) for line in re.split(r"\r\n|\n", value)]
            event[name] = "\n".join(f"    {line}" for line in lines)
        else:
            event[name] = escape(value)
    return event


def escape(text: str) -> str:
    """The text with control characters written as escapes."""
    if text.isprintable():
        return text
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def _json(event: EventDict, default: Callable[[Any], Any] = str, **_options: Any) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _console_renderer() -> structlog.dev.ConsoleRenderer:
    # The plain formatter: the pretty one prints local variables, and with them secrets.
    return structlog.dev.ConsoleRenderer(
        colors=False,
        pad_event_to=0,
        pad_level=False,
        exception_formatter=structlog.dev.plain_traceback,
    )
