"""What is not measured: the statements that write measurements. Else they would never end."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_unmeasured: ContextVar[bool] = ContextVar("unmeasured", default=False)


@contextmanager
def unmeasured() -> Iterator[None]:
    """Leave the statements of this block out of the metrics."""
    token = _unmeasured.set(True)
    try:
        yield
    finally:
        _unmeasured.reset(token)


def is_unmeasured() -> bool:
    """Whether the statements of the moment are left out."""
    return _unmeasured.get()
