"""Recording, and writing what was recorded."""

import asyncio
import logging
import math
import os
import signal
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from observability import buffer, metrics, names, rollup, series, sketch, store
from observability.models import MetricBucket, MetricSeries
from tests.processes import PATIENCE

HOUR = timedelta(hours=1)


def total(name, **tags):
    metrics.flush()
    now = timezone.now()
    return series.total(name, now - HOUR, now + HOUR, tags=tags)


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    """Nothing else is written with the metrics."""
    monkeypatch.setattr(metrics, "_writers", [])


def rows():
    return MetricBucket.objects.filter(series__name="wait")


@pytest.fixture
def broken(monkeypatch):
    """`broken()` makes the database refuse what is written, `broken(False)` take it again."""
    original = store.Store.write

    def switch(on=True):
        def refuse(self, now):
            raise DatabaseError("the database is away")

        monkeypatch.setattr(store.Store, "write", refuse if on else original)

    return switch


def test_samples(db):
    for value in (0.1, 0.2, 0.4):
        metrics.record("wait", value, route="/a")
    metrics.record("wait", 8, route="/b")
    found = total("wait", route="/a")
    assert (found.count, found.min, found.max) == (3, 0.1, 0.4)
    assert found.sum == pytest.approx(0.7)
    assert found.percentile(0.5) == pytest.approx(0.2, rel=0.011)
    assert total("wait").count == 4


def test_the_order_of_tags_does_not_matter(db):
    metrics.record("wait", 1, route="/a", method="GET")
    metrics.record("wait", 1, method="GET", route="/a")
    assert total("wait").count == 2
    assert MetricSeries.objects.get(name="wait").tags == {"method": "GET", "route": "/a"}


def test_counters_have_no_sketch(db):
    metrics.count(names.AI_TOKENS, 100, kind="input")
    metrics.count(names.AI_TOKENS, 20, kind="input")
    found = total(names.AI_TOKENS)
    assert (found.count, found.sum, found.percentile(0.5)) == (2, 120, None)
    assert bytes(MetricBucket.objects.get(series__name=names.AI_TOKENS).sketch) == b""


def test_many_samples_at_once(db):
    metrics.record_all("wait", [1, 2, 3], route="/a")
    metrics.record("wait", 4, route="/a")
    assert (total("wait").count, total("wait").sum) == (4, 10)


def test_a_series_counts_once_however_often_it_is_recorded(db):
    for _ in range(buffer.MOST_SERIES + 1):
        metrics.record_all("wait", [1], route="/a")
    metrics.record_all("wait", [1], route="/b")
    assert total("wait", route="/a").count == buffer.MOST_SERIES + 1
    assert total("wait", route="/b").count == 1


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, None, "five", [], 1j, 10**400, Decimal("sNaN")]
)
def test_what_is_no_number_is_left_out(db, value):
    metrics.record("wait", value)
    metrics.record("wait", 2)
    found = total("wait")
    assert (found.count, found.sum) == (1, 2)


@pytest.mark.parametrize("value", [True, 3, Decimal("1.5"), -2.5, 0])
def test_what_is_a_number_counts(db, value):
    metrics.record("wait", value)
    assert total("wait").sum == value


@pytest.mark.parametrize("tag", [{"a": 1}, None, 5, object(), "\0a\x1b[31m\ud800\n", "x" * 1000])
def test_no_tag_makes_it_fail(db, tag):
    metrics.record("wait", 1, thing=tag)
    metrics.record("wait", 1, thing=tag)
    assert total("wait").count == 2
    kept = MetricSeries.objects.get(name="wait").tags["thing"]
    assert len(kept) <= 200
    assert kept.isprintable()


def test_a_name_is_cut(db):
    metrics.record("n" * 300, 1)
    metrics.flush()
    assert MetricSeries.objects.filter(name="n" * 100).count() == 1


def test_durations(db):
    @metrics.timed("call", kind="sync")
    def plain(number):
        return number

    @metrics.timed("call", kind="async")
    async def waiting(number):
        return number

    @metrics.timed("call", kind="failing")
    def failing():
        raise ValueError

    assert (plain(1), asyncio.run(waiting(2))) == (1, 2)
    with pytest.raises(ValueError, match=r"^$"):
        failing()
    with metrics.timer("call", kind="block"):
        pass
    assert asyncio.iscoroutinefunction(waiting)
    for kind in ("sync", "async", "failing", "block"):
        found = total("call", kind=kind)
        assert found.count == 1
        assert 0 <= found.min < 60


def test_a_second_flush_writes_the_minute_anew(db):
    metrics.record("wait", 1)
    assert total("wait").count == 1
    metrics.record("wait", 2)
    assert (total("wait").count, total("wait").sum) == (2, 3)
    assert rows().count() in {1, 2}  # a minute may have ended meanwhile


def test_a_flush_is_not_itself_measured(db, django_assert_num_queries):
    metrics.record("wait", 1)
    metrics.flush()
    with django_assert_num_queries(0):
        metrics.flush()


def test_a_flush_is_few_statements(db, django_assert_max_num_queries):
    for number in range(400):
        metrics.record("wait", 1, number=str(number))
    with django_assert_max_num_queries(9):
        metrics.flush()
    for number in range(400):
        metrics.record("wait", 1, number=str(number))
    with django_assert_max_num_queries(3):
        metrics.flush()
    assert total("wait").count == 800


def test_too_many_tag_sets_become_other(db):
    for number in range(buffer.MOST_SERIES + 30):
        metrics.record("wait", 1, number=str(number))
    metrics.record("wait", 1, number="3")
    metrics.record("calm", 1)
    assert total("wait").count == buffer.MOST_SERIES + 31
    assert total("wait", other="other").count == 30
    assert total("wait", number="3").count == 2
    assert total("calm").count == 1
    assert total(names.SERIES_FOLDED, metric="wait").sum == 30


def test_too_many_tag_sets_in_the_table(db, monkeypatch):
    monkeypatch.setattr(store, "MOST_SERIES", 3)
    for number in range(3):
        metrics.record("wait", 1, number=str(number))
    metrics.flush()
    metrics.reset()  # as another process
    for number in range(2, 6):
        for _ in range(2):
            metrics.record("wait", 1, number=str(number))
            metrics.flush()
    assert total("wait").count == 3 + 8
    assert total("wait", number="2").count == 3
    assert total("wait", other="other").count == 6
    assert MetricSeries.objects.filter(name="wait").count() == 4
    metrics.flush()
    assert total(names.SERIES_FOLDED, metric="wait").sum == 6


def test_a_database_that_is_away(db, broken, caplog):
    broken()
    metrics.record("wait", 1)
    metrics.flush()
    assert not caplog.records
    for _ in range(3):
        metrics.record("wait", 1)
        metrics.flush()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "the database is away" in caplog.text
    broken(False)
    assert total("wait").count == 4
    broken()
    metrics.flush()
    metrics.flush()
    assert len(caplog.records) == 2


def test_the_oldest_minutes_are_dropped(db, monkeypatch):
    monkeypatch.setattr(store, "MOST_CELLS", 4)
    kept = store.Store()
    for number in range(6):
        cell = buffer.Cell()
        cell.extend([number, number], sketched=True)
        kept.add({number: {("wait", ()): cell}})
    kept.write(600)
    assert sorted(row.sum for row in rows()) == [4, 6, 8, 10]
    assert kept.lost() == {(names.SAMPLES_DROPPED, ""): 4}


def test_a_series_that_was_deleted_is_made_again(transactional_db):
    metrics.record("wait", 1)
    metrics.flush()
    MetricSeries.objects.all().delete()
    metrics.record("wait", 1)
    metrics.flush()
    assert rows().count() in {0, 1}  # refused at first where the series is missing
    metrics.flush()
    assert total("wait").count == 2


def test_what_comes_late_is_another_row(db, monkeypatch):
    """A rolled row is never changed: what it lacks has a row of its own."""
    now = timezone.now().replace(second=0, microsecond=0)
    monkeypatch.setattr("time.time", now.timestamp)
    metrics.record("wait", 1)
    metrics.flush()
    MetricBucket.objects.update(rolled=True)
    metrics.record("wait", 4)
    metrics.flush()
    metrics.flush()
    first, second = rows().order_by("id")
    assert (first.count, first.sum, first.rolled) == (1, 1, True)
    assert (second.count, second.sum, second.rolled) == (1, 4, False)
    assert bytes(second.sketch) == sketch.pack(sketch.of([4]))


def test_a_commit_that_nobody_heard_of(db, monkeypatch):
    """The connection broke after the commit: the write is repeated, and counts once."""
    now = timezone.now().replace(second=0, microsecond=0)
    monkeypatch.setattr("time.time", now.timestamp)
    metrics.record("wait", 1)
    metrics.flush()
    for minute in metrics._store._minutes.values():
        for cell in minute.cells.values():
            cell.written = 0
    MetricBucket.objects.update(rolled=True)
    metrics.flush()
    metrics.flush()
    assert rows().get().count == 1


def test_others_write_with_the_flush(db, caplog):
    told = []

    def away():
        raise DatabaseError("away")

    def wrong():
        raise ValueError("a bug")

    for write in (away, wrong, lambda: told.append(1), away):
        metrics.on_flush(write)
    metrics.flush()
    assert told == [1]
    assert len(metrics._writers) == 3
    metrics.flush()
    assert told == [1, 1]
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR", "WARNING"]


def test_threads_lose_nothing(db):
    def work():
        for number in range(5000):
            metrics.record("wait", number, route="/a")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        metrics._store.add(metrics._buffer.take())
    assert total("wait").count == 20_000
    assert total("wait").sum == 4 * sum(range(5000))


def test_a_long_list_is_summed_up_early(db, monkeypatch):
    monkeypatch.setattr(buffer, "MOST_WAITING", 10)
    for _ in range(105):
        metrics.record("wait", 1)
    waiting = [values for minute in metrics._buffer._minutes for values in minute.lists.values()]
    assert max(map(len, waiting)) < 10
    assert total("wait").count == 105


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="a system without timers")
def test_a_signal_may_record_while_we_do(db):
    """Handlers run between any two steps of the code that they interrupt, and wait for nobody."""
    calls = []

    def handler(*_):
        calls.append(1)
        metrics.record("wait", 1)

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    recorded = 0
    try:
        while len(calls) < 50:
            metrics.record("wait", 1)
            recorded += 1
            if recorded % 500 == 0:
                metrics._store.add(metrics._buffer.take())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert total("wait").count == recorded + len(calls)


def test_a_fork_begins_anew(db):
    metrics.record("wait", 1)
    metrics.flush()
    writer = rows().get().writer
    metrics.record("wait", 1)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        waiting = metrics._buffer.take() or metrics._store._minutes
        os.write(writing, b"full" if waiting or metrics._thread else b"empty")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 10) == b"empty"
    assert total("wait").count == 2
    assert rows().first().writer == writer


def test_a_thread_writes_by_itself(transactional_db, settings):
    settings.METRICS_FLUSH_SECONDS = 0.01
    written = threading.Event()
    metrics.on_flush(written.set)
    try:
        metrics.record("wait", 1)
        assert written.wait(PATIENCE)
        thread = metrics._thread
        assert thread.daemon
    finally:
        metrics._writers.remove(written.set)
        metrics._ending.set()
        metrics._wanted.set()
        thread.join(PATIENCE)
    metrics.flush()
    now = datetime.now(UTC)
    assert series.total("wait", now - HOUR, now + HOUR).count == 1


def test_rolled_and_late_rows_add_up(db, monkeypatch):
    now = timezone.now().replace(second=0, microsecond=0)
    past = (now - timedelta(minutes=10)).timestamp()
    for value in (1, 2):
        monkeypatch.setattr("time.time", lambda: past)
        metrics.record("wait", value)
        metrics.flush()
        monkeypatch.setattr("time.time", now.timestamp)
        rollup.roll_up()
    assert (total("wait").count, total("wait").sum) == (2, 3)
    ever = rows().get(resolution=0)
    assert (ever.count, ever.sum) == (2, 3)
    assert not connection.needs_rollback
