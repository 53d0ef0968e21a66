"""Noting which release runs, once in each process, with its first metrics."""

from django.conf import settings

from observability.models import Release

_noted = ""


def note() -> None:
    """Have the release of this process in the table. Raises DatabaseError."""
    global _noted  # noqa: PLW0603
    name = settings.RELEASE
    if name and name != _noted:
        Release.note(name)
        _noted = name


def reset() -> None:
    """Forget that it was noted."""
    global _noted  # noqa: PLW0603
    _noted = ""
