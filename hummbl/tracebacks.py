"""Tracebacks of log lines: whole at first, and left out while the same ones repeat.

To render one takes longer than all else that a line costs, so a loop that fails and logs ten
thousand times would be busy with that. Of those that are the same (their exceptions and those that
led to these have the same types, and came the same way through the code) each process writes the
first `WHOLE` of a minute as they are. The others are one line, which says what was raised and how
many came before it.
"""

import time
from collections.abc import Iterator
from typing import Final

import structlog
from structlog.typing import EventDict, WrappedLogger

# Tracebacks that are the same, in a minute.
WHOLE: Final = 10
# Kinds that are remembered; then all are forgotten, and written whole again.
MOST_KINDS: Final = 1000
# Exceptions that led to each other of which one is told from another.
MOST_CAUSES: Final = 5

Kind = tuple[object, ...]


class Tracebacks:
    """A processor of structlog, for one handler, whose lock it relies on."""

    def __init__(self) -> None:
        self._minute = 0
        self._seen: dict[Kind, int] = {}

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """Replace `exc_info` by what is written of it, `exception`."""
        info = event.get("exc_info")
        exc = info[1] if isinstance(info, tuple) else info
        if isinstance(exc, BaseException) and (before := self._count(exc)) >= WHOLE:
            del event["exc_info"]
            event["exception"] = f"{_name(exc)} (again, after {before} this minute: no traceback)"
            return event
        return structlog.processors.format_exc_info(logger, method, event)

    def _count(self, exc: BaseException) -> int:
        """How many of its kind came before it in this minute."""
        minute = int(time.monotonic() // 60)
        if minute != self._minute or len(self._seen) >= MOST_KINDS:
            self._minute, self._seen = minute, {}
        kind = tuple(_kind(exc))
        before = self._seen.get(kind, 0)
        self._seen[kind] = before + 1
        return before


def _kind(exc: BaseException) -> Iterator[object]:
    cause: BaseException | None = exc
    for _ in range(MOST_CAUSES):
        if cause is None:
            return
        yield type(cause)
        place = cause.__traceback__
        while place:
            # The code itself is kept, so that no other ever has its id.
            yield place.tb_frame.f_code
            yield place.tb_lineno
            place = place.tb_next
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def _name(exc: BaseException) -> str:
    """The exception in one line."""
    try:
        message = str(exc).partition("\n")[0]
    except Exception:  # noqa: BLE001 - an exception may fail to say what it is
        message = "?"
    return f"{type(exc).__qualname__}: {message}"
