"""Making errors, for tests."""

from observability import errors, metrics
from observability.models import ErrorGroup


def fail(message="broken"):
    """Break."""
    raise RuntimeError(message)


def caught(function=fail, *args):
    """The exception that the call raises."""
    try:
        function(*args)
    except Exception as error:  # noqa: BLE001 - whatever it raises
        return error
    raise AssertionError("nothing was raised")


def capture(exc=None, *, source="request", **more):
    """Capture and write."""
    errors.capture(exc or caught(), source=source, **more)
    metrics.flush()


def make_error(message="broken", *, kind="Broken", count=1, **more):
    """A group of its own for each `kind`, with that many occurrences."""
    raised = type(kind, (Exception,), {"__module__": "builtins"})
    for _ in range(count):
        capture(raised(message), **more)
    return ErrorGroup.objects.get(title__startswith=f"{kind}:")
