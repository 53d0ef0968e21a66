"""Tracebacks as data: which function of which module, and the lines around; never a variable."""

import linecache
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import CodeType, TracebackType
from typing import Any, Final, NamedTuple

from django.conf import settings

# Of a deep stack, such as a recursion's, the beginning and the end.
OUTERMOST: Final = 10
INNERMOST: Final = 30
# Exceptions of a chain of causes.
MOST_EXCEPTIONS: Final = 4
LINES_AROUND: Final = 2
MOST_LINE_LENGTH: Final = 200

_FOREIGN: Final = re.compile(r"/(?:site-packages|dist-packages|\.?v?env)/")
# Modules of ours that every statement or request passes through, and that break nothing.
_PASSING: Final = re.compile(r"/observability/(?:database|middleware|metrics)\.py$")
_SHORT: Final = re.compile(r".*/(?:site-packages|dist-packages|python\d\.\d+)/")


class Frame(NamedTuple):
    """A call that was under way, of HUMMBL's own code or not.

    `path` is the file here whose source is shown; empty for what a browser says, which must not
    have files of ours read.
    """

    module: str
    function: str
    line: int
    in_app: bool
    path: str = ""

    @property
    def place(self) -> str:
        """Module and function; in a browser the file is the module."""
        return f"{self.module}{':' if '/' in self.module else '.'}{self.function}"


class Raised(NamedTuple):
    """An exception of a chain: the one that was caught, or a cause of it."""

    type: str
    message: str
    frames: list[Frame]


@lru_cache(maxsize=2000)
def is_in_app(path: str) -> bool:
    """Whether the file is HUMMBL's own, and not a library's."""
    ours = path.startswith(f"{settings.BASE_DIR}/")
    return ours and not _FOREIGN.search(path) and not _PASSING.search(path)


def codes_of(traceback: TracebackType | None) -> Iterator[CodeType]:
    """The functions of a traceback, from the outermost on."""
    while traceback is not None:
        yield traceback.tb_frame.f_code
        traceback = traceback.tb_next


def frames_of(traceback: TracebackType | None) -> list[Frame]:
    """The calls of a traceback, from the outermost on; of a deep one both ends."""
    found = []
    while traceback is not None:
        frame = traceback.tb_frame
        module = str(frame.f_globals.get("__name__", ""))
        code = frame.f_code
        path = code.co_filename
        found.append(Frame(module, code.co_qualname, traceback.tb_lineno, is_in_app(path), path))
        traceback = traceback.tb_next
    if len(found) <= OUTERMOST + INNERMOST:
        return found
    return found[:OUTERMOST] + found[-INNERMOST:]


def chain_of(exc: BaseException) -> list[Raised]:
    """The exception, what it was raised from or after, and so on."""
    found: list[Raised] = []
    each: BaseException | None = exc
    while each is not None and len(found) < MOST_EXCEPTIONS:
        found.append(Raised(type_of(each), message_of(each), frames_of(each.__traceback__)))
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    return found


def type_of(exc: BaseException) -> str:
    """The exception's class, with its module unless it is Python's own."""
    kind = type(exc)
    known = kind.__module__ in {"builtins", "__main__"}
    return kind.__qualname__ if known else f"{kind.__module__}.{kind.__qualname__}"


def message_of(exc: BaseException) -> str:
    """What the exception says, if it can say it."""
    try:
        return str(exc)
    except Exception:  # noqa: BLE001 - a stranger's class may do anything
        return ""


def as_data(frame: Frame, *, innermost: bool) -> dict[str, Any]:
    """The frame as JSON; with the lines around it, where it is ours or the last one."""
    wanted = frame.path and (frame.in_app or innermost)
    return {
        "module": frame.module,
        "function": frame.function,
        "file": _shown(frame.path) if frame.path else frame.module,
        "line": frame.line,
        "in_app": frame.in_app,
        "source": _around(frame) if wanted else [],
    }


@lru_cache(maxsize=2000)
def _shown(path: str) -> str:
    """The file without the folders of this machine."""
    if not _FOREIGN.search(path) and path.startswith(f"{settings.BASE_DIR}/"):
        return path.removeprefix(f"{settings.BASE_DIR}/")
    short = _SHORT.sub("", path)
    return short if short != path or path.startswith("<") else Path(path).name


def _around(frame: Frame) -> list[dict[str, Any]]:
    first = max(1, frame.line - LINES_AROUND)
    numbers = range(first, frame.line + LINES_AROUND + 1)
    lines = [(number, linecache.getline(frame.path, number)) for number in numbers]
    return [
        {"line": number, "text": text.rstrip()[:MOST_LINE_LENGTH]} for number, text in lines if text
    ]
