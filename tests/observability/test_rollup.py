"""Minutes into hours, days and ever, and what is deleted when."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hummbl import retention
from observability import metrics, names, rollup, series, sketch
from observability.models import MetricBucket, MetricSeries
from observability.models.metric import DAY, EVER, HOUR, MINUTE

NOW = datetime(2026, 11, 22, 15, 17, 30, tzinfo=UTC)


def bucket(name="wait", *, resolution=MINUTE, start=NOW, rolled=False, writer=1, values=(1.0,)):
    row, _ = MetricSeries.objects.get_or_create(name=name, digest=name)
    return MetricBucket.objects.create(
        series=row,
        resolution=resolution,
        start=start,
        rolled=rolled,
        writer=writer,
        count=len(values),
        sum=math.fsum(values),
        min=min(values),
        max=max(values),
        sketch=sketch.pack(sketch.of(values)),
    )


def rows(resolution, name="wait"):
    return MetricBucket.objects.filter(series__name=name, resolution=resolution).order_by("start")


def counts(resolution):
    return {row.start.isoformat()[:16]: row.count for row in rows(resolution)}


def test_minutes_become_hours_and_days_and_ever(db, at):
    for hours, value in ((30, 1), (29, 2), (29, 3), (1, 4)):
        at(NOW - timedelta(hours=hours))
        metrics.record("wait", value)
        metrics.count(names.AI_TOKENS, value)
    metrics.flush()
    at(NOW)
    rollup.roll_up()

    assert counts(HOUR) == {"2026-11-21T09:00": 1, "2026-11-21T10:00": 2, "2026-11-22T14:00": 1}
    assert counts(DAY) == {"2026-11-21T00:00": 3, "2026-11-22T00:00": 1}
    ever = rows(EVER).get()
    assert (ever.count, ever.sum, ever.min, ever.max, ever.writer) == (4, 10, 1, 4, 0)
    assert sketch.unpack(bytes(ever.sketch)) == sketch.of([1, 2, 3, 4])
    assert not rows(MINUTE).filter(rolled=False).exists()
    tokens = rows(EVER, names.AI_TOKENS).get()
    assert (tokens.sum, bytes(tokens.sketch)) == (10, b"")


def test_a_minute_that_is_hardly_over_waits(db, at):
    at(NOW)
    metrics.record("wait", 1)
    metrics.flush()
    at(NOW + timedelta(seconds=80))
    assert rollup.roll_up() == 0
    at(NOW + timedelta(minutes=4))
    assert rollup.roll_up() == 1
    assert rollup.roll_up() == 0


def test_many_rows_in_several_transactions(db, at, monkeypatch):
    monkeypatch.setattr(rollup, "BATCH", 7)
    at(NOW)
    for number in range(20):
        bucket(start=NOW - timedelta(minutes=10 + number))
        bucket("calm", start=NOW - timedelta(minutes=10 + number))
    assert rollup.roll_up() == 40
    assert (rows(EVER).get().count, rows(EVER, "calm").get().count) == (20, 20)


def test_whoever_dies_has_done_nothing(db, at, monkeypatch):
    at(NOW)
    bucket(start=NOW - timedelta(minutes=10))

    def die(*_args, **_options):
        raise DatabaseError

    with monkeypatch.context() as patch:
        patch.setattr("django.db.models.QuerySet.update", die)
        with pytest.raises(DatabaseError):
            rollup.roll_up()
    assert not rows(HOUR).exists()
    assert rollup.roll_up() == 1
    assert rows(HOUR).get().count == 1


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.integers(0, 47 * 60),  # minutes back
            st.integers(1, 3),  # who wrote it
            st.one_of(st.floats(-1e6, -1e-6), st.just(0.0), st.floats(1e-6, 1e6)),
        ),
        min_size=1,
        max_size=40,
    ),
    st.integers(0, 20),
)
def test_percentiles_survive_rolling_up(db, at, recorded, later):
    at(NOW)
    MetricSeries.objects.all().delete()
    by_row = {}
    for number, (back, writer, value) in enumerate(recorded):
        start = (NOW - timedelta(minutes=back)).replace(second=0)
        # Some come after a first roll-up, under other writers.
        key = number < later, start, writer + (10 if number < later else 0)
        by_row.setdefault(key, []).append(value)
    for (_, start, writer), values in sorted(by_row.items()):
        if writer > 10:
            rollup.roll_up()
        bucket(start=start, writer=writer, values=values)
    rollup.roll_up()

    values = sorted(value for _, _, value in recorded)
    found = series.total("wait", NOW - timedelta(hours=48), NOW + timedelta(hours=1))
    steps = series.points("wait", NOW - timedelta(hours=50), NOW + timedelta(hours=1), HOUR)

    assert found.count == sum(point.summary.count for point in steps) == len(values)
    assert (found.min, found.max) == (values[0], values[-1])
    assert found.sketch == sketch.of(values)
    for share in (0, 0.5, 0.95, 0.99, 1):
        exact = values[int(share * (len(values) - 1))]
        assert abs(found.percentile(share) - exact) <= 0.011 * abs(exact)


def test_what_is_deleted(db, at, settings):
    settings.RETENTION_METRICS = 90
    at(NOW)
    days = timedelta(days=1)
    kept = [
        bucket(start=NOW - 1.9 * days, rolled=True),
        bucket(start=NOW - 3 * days, rolled=False, writer=2),
        bucket(start=NOW - 89 * days, resolution=HOUR, writer=0),
        bucket(start=NOW - 1800 * days, resolution=DAY, writer=0),
        bucket(start=datetime(1970, 1, 1, tzinfo=UTC), resolution=EVER, writer=0),
    ]
    bucket(start=NOW - 3 * days, rolled=True)
    bucket(start=NOW - 91 * days, resolution=HOUR, writer=0)
    bucket(start=NOW - 1900 * days, resolution=DAY, writer=0)
    bucket("gone", start=datetime(1970, 1, 1, tzinfo=UTC), resolution=EVER, writer=0)
    bucket("going", start=NOW - 3 * days, rolled=True)

    assert rule().count() == 5  # the series `going` is seen to be empty only afterwards
    assert delete_all() == 6

    assert set(MetricBucket.objects.all()) == set(kept)
    assert [row.name for row in MetricSeries.objects.all()] == ["wait"]


def test_for_good(db, at, settings):
    settings.RETENTION_METRICS = None
    at(NOW)
    bucket(start=NOW - timedelta(days=900), resolution=HOUR, writer=0)
    assert delete_all() == 0
    assert "RETENTION_METRICS is empty" in rule().describe()


def test_hours_stay_as_long_as_minutes(db, at, settings):
    """What is read by the hour is read from hours, also where there are minutes."""
    settings.RETENTION_METRICS = 0.5
    at(NOW)
    bucket(start=NOW - timedelta(days=1), resolution=HOUR, writer=0)
    assert delete_all() == 0


def test_batches_are_bounded(db, at):
    at(NOW)
    for number in range(5):
        bucket(start=NOW - timedelta(days=3, minutes=number), rolled=True)
    assert rule().delete_batch(3) == (3, True)
    assert rule().delete_batch(3) == (3, True)  # two minutes, and the series
    assert rule().delete_batch(3) == (0, False)


def rule():
    return next(rule for rule in retention.rules() if rule.name == "metrics")


def delete_all():
    total, more = 0, True
    while more:
        rows, more = rule().delete_batch(2)
        total += rows
    return total
