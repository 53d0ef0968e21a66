import json
import logging

import pytest

from hummbl import tracebacks
from hummbl.logging import formatter
from hummbl.tracebacks import WHOLE


@pytest.fixture
def minute(monkeypatch):
    """`minute.seconds` is the time."""

    class Clock:
        seconds = 60.0

        def monotonic(self):
            return self.seconds

    clock = Clock()
    monkeypatch.setattr(tracebacks, "time", clock)
    return clock


@pytest.fixture
def write(minute):
    """`write(error)` is the line of an exception, as JSON."""
    to_json = formatter("json")

    def write(error):
        info = (type(error), error, error.__traceback__)
        record = logging.LogRecord("tests", logging.ERROR, __file__, 1, "failed", (), info)
        return json.loads(to_json.format(record))

    return write


def fail(message="boom"):
    raise RuntimeError(message)


def caught(function, *args):
    try:
        function(*args)
    except Exception as error:  # noqa: BLE001 - whatever it is
        return error


def is_whole(line):
    return line["exception"].startswith("Traceback (most recent call last)")


def test_the_first_are_whole_and_the_others_say_how_often(write):
    lines = [write(caught(fail, f"storm {number}")) for number in range(WHOLE + 2)]
    assert [is_whole(line) for line in lines] == [True] * WHOLE + [False] * 2
    assert [line["exception"] for line in lines[WHOLE:]] == [
        "RuntimeError: storm 10 (again, after 10 this minute: no traceback)",
        "RuntimeError: storm 11 (again, after 11 this minute: no traceback)",
    ]
    assert all("RuntimeError: storm" in line["exception"] for line in lines)


def test_the_next_minute_begins_anew(write, minute):
    for _ in range(WHOLE + 1):
        line = write(caught(fail))
    assert not is_whole(line)
    minute.seconds += 60
    assert is_whole(write(caught(fail)))


def test_what_differs_in_type_place_way_or_cause_is_whole(write):
    def other():
        raise RuntimeError

    def through():
        fail()

    def chained(cause):
        try:
            cause()
        except LookupError as error:
            raise RuntimeError from error

    def key_error():
        raise KeyError

    def lookup_error():
        raise LookupError

    for _ in range(WHOLE + 1):
        assert write(caught(fail))
        assert write(caught(chained, key_error))
    assert not is_whole(write(caught(fail)))
    assert is_whole(write(caught(other)))
    assert is_whole(write(caught(through)))
    line = write(caught(chained, lookup_error))
    assert "direct cause" in line["exception"]


def test_each_handler_has_tracebacks_of_its_own(minute):
    error = caught(fail)
    record = logging.LogRecord(
        "tests", logging.ERROR, __file__, 1, "failed", (), (type(error), error, None)
    )
    one, other = formatter("json"), formatter("json")
    for _ in range(WHOLE):
        one.format(record)
    assert "again" in one.format(record)
    assert "again" not in other.format(record)


def test_a_repeated_error_is_one_line_without_secrets(write):
    for _ in range(WHOLE + 1):
        line = write(caught(fail, "password=canary\n2026 forged"))
    assert "\n" not in line["exception"]
    assert "canary" not in line["exception"]
    assert "forged" not in line["exception"]


def test_an_exception_that_cannot_say_what_it_is(write):
    class Mute(Exception):
        def __str__(self):
            raise ValueError

    def mute():
        raise Mute

    for _ in range(WHOLE + 1):
        line = write(caught(mute))
    assert "Mute: ?" in line["exception"]


def test_more_kinds_than_are_remembered_are_whole(write, monkeypatch):
    monkeypatch.setattr(tracebacks, "MOST_KINDS", 3)
    for number in range(5):
        kind = type(f"Error{number}", (Exception,), {})

        def different(kind=kind):
            raise kind

        assert is_whole(write(caught(different)))
    assert is_whole(write(caught(fail)))
