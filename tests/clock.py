"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from jwt import api_jwt


class Clock:
    """What `timezone.now` and PyJWT say, while it is in force."""

    def __init__(self) -> None:
        # In whole seconds, as tokens and sessions count.
        self.now = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

    def advance(self, seconds: float) -> None:
        """Let that much time go by."""
        self.now += timedelta(seconds=seconds)

    def stop(self, patch: pytest.MonkeyPatch) -> "Clock":
        """Put it in force until the patch is undone."""
        patch.setattr(timezone, "now", lambda: self.now)
        patch.setattr(api_jwt, "datetime", _frozen(self))
        return self


class _Every(type):
    """Takes any time for one of its own: PyJWT looks whether a claim is a `datetime`."""

    def __instancecheck__(cls, found):
        return isinstance(found, datetime)


def _frozen(clock: Clock) -> type:
    class Frozen(metaclass=_Every):
        @classmethod
        def now(cls, tz=None):
            return clock.now

    return Frozen


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """Time stands still; `clock.advance(60)` lets a minute go by."""
    return Clock().stop(monkeypatch)
