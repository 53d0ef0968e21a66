"""Statements of Django's connections: how long they take, which are slow, which fail, how many.

The engine's writer speaks to its driver directly, and tells of its commits itself.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from django.db import Error
from django.db.backends.signals import connection_created

from observability import metrics
from observability.names import DB_ERRORS, DB_QUERY_DURATION, DB_SLOW_QUERIES
from observability.unmeasured import is_unmeasured

SLOW_SECONDS: Final = 0.1
MOST_STATEMENT: Final = 200
# Longer ones, of many rows, differ only in how many they are.
LOOKED_AT: Final = 10_000

COMMIT: Final = "commit"
OTHER: Final = "other"
# By their first six characters, which cost less than the first word. BEGIN waits for SQLite's one
# write lock.
_OPERATIONS: Final = {
    "SELECT": "select",
    "INSERT": "insert",
    "UPDATE": "update",
    "DELETE": "delete",
    "BEGIN": "begin",
    "BEGIN ": "begin",
}
_SHORTENED: Final = (
    (re.compile(r"'(?:[^']|'')*(?:'|$)"), "?"),
    (re.compile(r'["`]'), ""),
    (re.compile(r"\s+"), " "),
    (re.compile(r"%s|\$\d+|(?<![\w.])\d+(?:\.\d+)?(?![\w.])"), "?"),
    (re.compile(r"^(\(*SELECT (?:DISTINCT )?).{40,}? FROM ", re.IGNORECASE), r"\1… FROM "),
    (re.compile(r"^(INSERT INTO \S+ )\([^)]*\)", re.IGNORECASE), r"\1(…)"),
    (re.compile(r"\((?:\?, )+\?\)"), "(…)"),
    (re.compile(r"(\((?:…|\?)\))(?:, \((?:…|\?)\))+"), r"\1, …"),
)


class Tally:
    """How many statements there were."""

    __slots__ = ("statements",)

    def __init__(self) -> None:
        self.statements = 0


_tally: ContextVar[Tally | None] = ContextVar("statements", default=None)


@contextmanager
def tally() -> Iterator[Tally]:
    """Count the statements of this block, in threads and tasks started by it too."""
    counted = Tally()
    token = _tally.set(counted)
    try:
        yield counted
    finally:
        _tally.reset(token)


def measure() -> None:
    """Measure every connection from now on."""
    connection_created.connect(_prepare, dispatch_uid="observability.database")


def normalise(sql: str) -> str:
    """The statement without its values, lists shortened: what all of its kind have in common."""
    text = sql[:LOOKED_AT].strip()
    for pattern, shorter in _SHORTENED:
        text = pattern.sub(shorter, text)
    return text[:MOST_STATEMENT]


def _prepare(connection: Any, **_: Any) -> None:
    """Once for each connection object, which may connect again."""
    if _execute not in connection.execute_wrappers:
        # The first is the outermost. At the end, a `with connection.execute_wrapper(…)` around the
        # statement that connects would take ours away instead of its own.
        connection.execute_wrappers.insert(0, _execute)
        connection.commit = _measured(connection.commit)


def _execute(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    if is_unmeasured():
        return execute(sql, params, many, context)
    counted = _tally.get()
    if counted is not None:
        counted.statements += 1
    started = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    except Error as error:
        metrics.count(DB_ERRORS, error=type(error).__name__)
        raise
    finally:
        _note(sql, time.perf_counter() - started)


def _note(sql: Any, seconds: float) -> None:
    text = sql if isinstance(sql, str) else ""  # psycopg also takes what it composes itself
    operation = _OPERATIONS.get(text.lstrip("( \n")[:6].upper(), OTHER)
    metrics.record(DB_QUERY_DURATION, seconds, operation=operation)
    if seconds >= SLOW_SECONDS:
        metrics.record(DB_SLOW_QUERIES, seconds, statement=normalise(text) or OTHER)


def _measured(commit: Callable[[], None]) -> Callable[[], None]:
    def measured_commit() -> None:
        if is_unmeasured():
            return commit()
        started = time.perf_counter()
        try:
            return commit()
        except Error as error:
            metrics.count(DB_ERRORS, error=type(error).__name__)
            raise
        finally:
            seconds = time.perf_counter() - started
            metrics.record(DB_QUERY_DURATION, seconds, operation=COMMIT)

    return measured_commit
