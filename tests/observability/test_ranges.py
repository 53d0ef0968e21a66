"""Which stretch of time an address asks for."""

from datetime import UTC, datetime, timedelta

import pytest
from django.http import QueryDict
from django.utils import timezone

from observability import ranges

NOW = datetime(2026, 11, 22, 15, 17, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def asked(query="", **options):
    return ranges.asked(QueryDict(query), **options)


@pytest.mark.parametrize("name", ranges.RANGES)
def test_ranges_that_end_now(name):
    found = asked(f"range={name}")
    assert found.name == name
    assert found.end - found.start == ranges.RANGES[name][1]
    assert found.end - timedelta(seconds=found.step) <= NOW < found.end
    assert 30 <= len(found.steps) <= ranges.MOST_POINTS
    assert all(step.timestamp() % found.step == 0 for step in found.steps)
    assert found.is_live
    assert found.query == f"range={name}"
    assert not found.next


@pytest.mark.parametrize(
    "query",
    [
        "",
        "range=2h",
        "range=",
        "start=2026-11-22T10:00",
        "end=2026-11-22T10:00",
        "start=2026-11-22T10:00&end=2026-11-22T10:00",
        "start=2026-11-22T11:00&end=2026-11-22T10:00",
        "start=2026-11-22T16:00&end=2026-11-22T17:00",
        "start=yesterday&end=today",
        "start=0001-01-01T00:00%2B12:00&end=2026-11-22T10:00",
        "start=0001-01-01&end=9999-12-31",
        "start=1&end=2",
    ],
)
def test_what_makes_no_sense_is_the_last_hour(query):
    assert asked(query).name == ranges.DEFAULT


def test_between_two_moments():
    found = asked("start=2026-11-22T10:00&end=2026-11-22T11:30")
    assert (found.start.hour, found.end.hour, found.end.minute) == (10, 11, 30)
    assert found.step == 60
    assert not found.is_live
    assert found.label == ""
    assert found.previous == "start=2026-11-22T08:30&end=2026-11-22T10:00"
    assert found.next == "start=2026-11-22T11:30&end=2026-11-22T13:00"
    assert not any(choice.is_current for choice in found.choices)


def test_moments_are_utc_unless_they_say_otherwise():
    found = asked("start=2026-11-22T10:00%2B02:00&end=2026-11-22T10:00")
    assert (found.start.hour, found.end.hour) == (8, 10)


def test_is_widened_to_whole_steps_and_ends_now_at_the_latest():
    found = asked("start=2026-11-22T10:07&end=2026-11-23T00:00")
    assert found.step == 120
    assert found.start.minute == 6
    assert found.end == NOW.replace(minute=18, second=0)


def test_nothing_is_finer_than_what_is_kept():
    assert asked("start=2026-11-19T10:00&end=2026-11-19T11:00").step == 3600
    assert asked("start=2026-01-01&end=2026-11-01").step == 7 * 86400
    assert asked("start=2022-01-01&end=2026-11-01").step == 30 * 86400


def test_what_else_the_address_says_is_kept():
    found = asked("range=6h&tab=models&other=1&route=/a?b", keep=["tab", "route", "q"])
    assert found.query == "range=6h&tab=models&route=%2Fa%3Fb"
    assert found.previous.endswith("&tab=models&route=%2Fa%3Fb")
    assert found.choices[0].query == "range=1h&tab=models&route=%2Fa%3Fb"


def test_the_last_step_has_only_begun():
    found = asked()
    assert found.seconds_of(found.steps[-1]) == 30
    assert found.seconds_of(found.steps[0]) == found.step == 60
