"""The time of what measures."""

from datetime import datetime

import pytest
from django.utils import timezone


@pytest.fixture
def at(monkeypatch):
    """`at(moment)` makes it that time for what records, rolls up and reads."""

    def move(moment: datetime) -> None:
        monkeypatch.setattr("time.time", moment.timestamp)
        monkeypatch.setattr(timezone, "now", lambda: moment)

    return move
