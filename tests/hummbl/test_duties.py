"""What one process of all does every so often, however many ask."""

import logging
import threading

import pytest
from django.db import DatabaseError

from hummbl import duties
from hummbl.models import Duty
from tests.processes import PATIENCE, at_once

pytestmark = pytest.mark.django_db(transaction=True)

PROGRAM = """
import django
django.setup()
from hummbl import duties
duties._duties.clear()
duties.register("look", lambda: print("done", flush=True), seconds=10**9)
for _ in range(3):
    duties.run_due()
"""


@pytest.fixture
def clock(monkeypatch):
    """`clock(seconds)` sets the time that duties go by."""

    def set_time(seconds: float) -> None:
        monkeypatch.setattr("hummbl.duties.time.time", lambda: seconds)

    set_time(6000)
    return set_time


@pytest.fixture
def done():
    """What was done, of the duty `look`, which is due every minute."""
    times = []
    duties.register("look", lambda: times.append(1))
    return times


def test_each_minute_once(clock, done):
    duties.run_due()
    assert done == [1]
    assert not duties.is_due()
    clock(6059)
    duties.run_due()
    assert done == [1]
    clock(6060)
    assert duties.is_due()
    duties.run_due()
    assert done == [1, 1]


def test_minutes_in_which_nobody_asked_are_not_made_up_for(clock, done):
    duties.run_due()
    clock(60_000)
    duties.run_due()
    duties.run_due()
    assert done == [1, 1]


def test_a_clock_that_is_a_little_behind_repeats_nothing(clock, done):
    duties.run_due()
    clock(6000 - 60 * Duty.AHEAD)
    duties.run_due()
    duties._duties["look"].asked = 0  # another process
    duties.run_due()
    assert done == [1]


def test_a_clock_that_was_far_ahead_stops_nobody(clock, done):
    """Else nobody would do it until that time comes again."""
    duties.run_due()
    clock(3000)
    assert duties.is_due()
    duties.run_due()
    assert done == [1, 1]
    assert not duties.is_due()
    clock(3060)
    duties.run_due(late=True)
    assert done == [1, 1]
    duties.run_due()
    assert not duties.is_due()


def test_slow_duties_are_apart_and_know_when_to_end(clock, done):
    asked = []
    duties.register_slow("clean", lambda stopped: asked.append(stopped()), seconds=3600)
    duties.run_due()
    duties.run_due(late=True)
    assert (done, asked) == ([1], [])
    assert duties.is_due(slow=True)
    stopping = iter([False, True])
    duties.run_due(slow=True, stopped=lambda: next(stopping))
    assert (done, asked) == ([1], [True])
    clock(6000 + 3599 - 6000 % 3600)
    assert not duties.is_due(slow=True)


def test_web_processes_step_in_only_where_workers_are_silent(clock, done):
    duties.run_due()
    for minute in (1, 2):
        clock(6000 + 60 * minute)
        duties.run_due(late=True)
        assert done == [1]
    clock(6000 + 60 * 3)
    duties.run_due(late=True)
    assert done == [1, 1]


def test_an_installation_without_a_worker_does_its_duties_too(clock, done):
    duties.run_due(late=True)
    assert done == [1]


def test_a_duty_that_fails_keeps_nobody_from_the_next_nor_from_trying_again(clock, done, caplog):
    def fail():
        raise ZeroDivisionError

    duties._duties.clear()
    duties.register("fail", fail)
    duties.register("look", lambda: done.append(1))
    with caplog.at_level(logging.ERROR, logger="hummbl.duties"):
        duties.run_due()
    assert done == [1]
    assert "fail failed; it is tried again in 60 s" in caplog.text
    clock(6060)
    assert duties.is_due()


def test_a_database_that_is_away_is_waited_for_and_told_in_one_line(
    clock, done, monkeypatch, caplog
):
    def away(*_):
        raise DatabaseError("away")

    duties._duties.clear()
    duties.register("look", lambda: done.append(1))
    duties.register("listen", lambda: done.append(2))
    with monkeypatch.context() as patch:
        patch.setattr(Duty, "claim", away)
        duties.run_due()
        duties.run_due()
    assert done == []
    said = [record.getMessage() for record in caplog.records if record.name == "hummbl.duties"]
    assert said == ["Cannot ask whether look, listen is due: away"]
    clock(6060)
    duties.run_due()
    assert done == [1, 2]


def test_an_hour_is_not_lost_because_the_database_was_away_at_its_beginning(
    clock, done, monkeypatch
):
    asked = []
    claim = Duty.claim

    def away_at_first(name, slot, patience):
        asked.append(slot)
        if len(asked) == 1:
            raise DatabaseError("away")
        return claim(name, slot, patience)

    duties._duties.clear()
    duties.register_slow("clean", lambda _: done.append(1), seconds=3600)
    monkeypatch.setattr(Duty, "claim", away_at_first)
    duties.run_due(slow=True)
    assert not duties.is_due(slow=True)
    clock(6060)
    for _ in range(2):
        duties.run_due(slow=True)
    assert (done, asked) == ([1], [1, 1])


def test_whoever_stops_does_no_more(clock, done):
    duties.run_due(stopped=lambda: True)
    assert done == []


def test_of_several_threads_one(clock):
    won = []
    barrier = threading.Barrier(8)

    def ask():
        barrier.wait()
        won.append(Duty.claim("look", 100, 0))
        duties.connection.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]


def test_of_several_processes_one():
    assert sorted(at_once(PROGRAM, 3)) == ["", "", "done\n"]


class Over(BaseException):
    """Ends what never ends."""


def test_who_watches_goes_on_whatever_happens(clock, done, monkeypatch, caplog):
    """In a thread of its own, of which nobody would miss the end."""
    moments = iter([6000, 6000 + 180, 6000 + 360])
    failing = [True]
    run_due = duties.run_due

    def sleep(seconds):
        assert seconds == duties.WATCH_SECONDS
        moment = next(moments, None)
        if moment is None:
            raise Over
        clock(moment)

    def run(**options):
        assert options == {"late": True}
        if failing and failing.pop():
            raise RuntimeError("once")
        run_due(**options)

    monkeypatch.setattr("hummbl.duties.time.sleep", sleep)
    monkeypatch.setattr(duties, "run_due", run)
    with caplog.at_level(logging.ERROR, logger="hummbl.duties"), pytest.raises(Over):
        duties._watch()
    assert done == [1, 1]
    assert "it is tried again" in caplog.text


def test_watching_keeps_nobody_waiting(monkeypatch):
    threads = []
    monkeypatch.setattr(duties, "_watch", lambda: threads.append(threading.current_thread()))
    duties.watch()
    for thread in threading.enumerate():
        if thread.name == "duties":
            thread.join(PATIENCE)
    assert [(thread.name, thread.daemon) for thread in threads] == [("duties", True)]
