"""Recording: `record`, `count`, `timer` and `@timed`. Durations are in seconds.

Samples gather in this process and are written every few seconds, when the process ends and at
SIGTERM; a process that is killed loses the last few seconds. Recording never fails and never waits,
neither for the database nor for another thread.
"""

import atexit
import functools
import inspect
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, ParamSpec, TypeVar, cast

from django.conf import settings
from django.db import Error, connection

from observability.buffer import Buffer
from observability.store import Store
from observability.unmeasured import unmeasured

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

# Flushes that fail before it is told.
PATIENCE: Final = 2

_buffer: Final = Buffer()
_store = Store()
_flushing = threading.Lock()
_starting = threading.Lock()
_thread: threading.Thread | None = None
_threadless = False  # no thread could be started, so that only the end writes
_ending = threading.Event()
_wanted = threading.Event()
_writers: Final[list[Callable[[], object]]] = []
_failed = 0  # flushes, one after the other


def record(name: str, value: float, **tags: str) -> None:
    """Count a sample. Tags are few and of few values: beyond a bound they become `other`.

    What is no finite number is left out.
    """
    _buffer.record((name, *tags.items()), value)
    if _thread is None:
        _start()


def record_all(name: str, values: Iterable[float], **tags: str) -> None:
    """Count many samples of one series."""
    _buffer.record_all((name, *tags.items()), values)
    if _thread is None:
        _start()


def count(name: str, amount: float = 1, **tags: str) -> None:
    """Add to a counter."""
    record(name, amount, **tags)


class timer:  # noqa: N801 - it is used like a function
    """Record how long the block took, also when it fails: `with timer(name, …):`, also in async."""

    __slots__ = ("_name", "_started", "_tags")

    def __init__(self, name: str, **tags: str) -> None:
        self._name, self._tags = name, tags

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        record(self._name, time.perf_counter() - self._started, **self._tags)


def timed(name: str, **tags: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Record how long each call of a function or a coroutine function takes."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def timed_async(*args: P.args, **kwargs: P.kwargs) -> Any:
                with timer(name, **tags):
                    return await function(*args, **kwargs)

            return cast("Callable[P, R]", timed_async)

        @functools.wraps(function)
        def timed_sync(*args: P.args, **kwargs: P.kwargs) -> R:
            with timer(name, **tags):
                return function(*args, **kwargs)

        return timed_sync

    return decorate


def on_flush(write: Callable[[], object]) -> None:
    """Have `write` called in each flush too, after the metrics are written, in no transaction.

    For what else gathers in a process. A database that is away is logged, as is what else it
    raises; `write` keeps what it could not write. Registering it again changes nothing.
    """
    if write not in _writers:
        _writers.append(write)


def wake() -> None:
    """Have a flush begin soon, for what should not wait its few seconds. Never blocks."""
    if _thread is None:
        _start()
    _wanted.set()


def flush() -> None:
    """Write what has gathered, now. A database that is away is told of once, and all is kept."""
    global _failed  # noqa: PLW0603
    with _flushing, unmeasured():
        _store.add(_buffer.take())
        errors = [error for write in (_write, *_writers) if (error := _attempt(write))]
        _failed = _failed + 1 if errors else 0
        # Once fails whoever ends before there are tables, and whoever restarts the database.
        if _failed == PATIENCE:
            reason = str(errors[0]).partition("\n")[0]
            logger.warning("Metrics and errors wait for the database: %s", reason)


@contextmanager
def held() -> Iterator[None]:
    """Write nothing meanwhile, and look everything up anew afterwards: a restore replaces rows."""
    with _flushing:
        try:
            yield
        finally:
            _store.forget_ids()


def reset() -> None:
    """Forget what has gathered and what is known of the tables: after a fork, between tests."""
    global _store, _flushing, _starting, _thread, _threadless  # noqa: PLW0603
    global _ending, _wanted, _failed
    _flushing, _starting = threading.Lock(), threading.Lock()
    _ending, _wanted = threading.Event(), threading.Event()
    _thread, _threadless, _failed = None, False, 0
    _buffer.reset()
    _store = Store()


def _write() -> None:
    _store.write(time.time())
    for (name, metric), samples in _store.lost().items():
        count(name, samples, **({"metric": metric} if metric else {}))


def _attempt(write: Callable[[], object]) -> Error | None:
    """Call what writes; why it could not."""
    try:
        write()
    except Error as error:
        return error
    except Exception:
        logger.exception("Writing metrics or errors failed")
    return None


def _start() -> None:
    """Begin to flush in a thread, unless this process is told not to."""
    global _thread, _threadless  # noqa: PLW0603
    if not settings.METRICS_FLUSH_SECONDS or _ending.is_set():
        return
    if _starting.acquire(blocking=False):
        try:
            if _thread is None:
                thread = threading.Thread(target=_flush_for_ever, name="metrics", daemon=True)
                thread.start()
                _thread = thread
        except RuntimeError:
            # Python ends, or has no room for another thread: then the end writes.
            _threadless = True
            logger.debug("Metrics are written at the end")
        finally:
            _starting.release()


def _flush_for_ever() -> None:
    ending, wanted = _ending, _wanted
    while not ending.is_set():
        wanted.wait(settings.METRICS_FLUSH_SECONDS)
        wanted.clear()
        flush()
        connection.close()


@atexit.register
def _flush_at_exit() -> None:
    if _thread is not None or _threadless:
        _ending.set()
        _wanted.set()
        flush()
        connection.close()


os.register_at_fork(after_in_child=reset)
