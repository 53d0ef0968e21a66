"""Reading metrics from minutes, hours and days."""

from datetime import UTC, datetime, timedelta

import pytest

from observability import metrics, rollup, rows, series
from observability.models import MetricBucket, MetricSeries

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 15, 17, 30, tzinfo=UTC)


@pytest.fixture
def history(at):
    """A sample each 20 minutes for 6 days, of value 1, 2, 3 and so on; the last at 15:00."""
    moments = [NOW.replace(minute=0, second=0) - timedelta(minutes=20 * n) for n in range(432)]
    for number, moment in enumerate(reversed(moments), start=1):
        at(moment)
        metrics.record("wait", number, route="/a" if number % 2 else "/b")
        if number % 20 == 0:
            metrics.flush()
    metrics.flush()
    at(NOW)
    return list(reversed(moments))


def test_steps_of_minutes(at):
    at(NOW)
    for value in (1, 3):
        metrics.record("wait", value)
    at(NOW + timedelta(minutes=1))
    metrics.record("wait", 5)
    metrics.flush()

    first, second = series.points("wait", NOW - timedelta(hours=1), NOW + timedelta(hours=1), 60)

    assert first.at == NOW.replace(second=0)
    assert (first.summary.count, first.summary.sum, first.summary.avg) == (2, 4, 2)
    assert (first.summary.min, first.summary.max) == (1, 3)
    assert second.at == first.at + timedelta(minutes=1)
    assert second.summary.percentile(0.5) == 5


def test_the_present_minute_is_there_from_its_first_moment(at):
    moment = NOW.replace(second=0, microsecond=1)
    at(moment)
    metrics.record("wait", 1)
    metrics.flush()
    assert series.total("wait", moment - timedelta(minutes=5), moment).count == 1
    assert series.total("wait", moment, moment + timedelta(minutes=5)).count == 0


@pytest.mark.parametrize("rolled", [False, True])
@pytest.mark.parametrize("step", [0, 60, 300, 3600, 7200, 86400])
@pytest.mark.parametrize(
    ("back", "length"),
    [
        (timedelta(hours=1), timedelta(hours=1)),
        (timedelta(minutes=30), timedelta(minutes=20)),
        (timedelta(hours=30), timedelta(hours=29)),
        (timedelta(hours=47), timedelta(hours=47)),
        (timedelta(hours=12, minutes=17, seconds=30), timedelta(hours=8)),
    ],
)
def test_each_sample_counts_once(history, step, back, length, rolled):
    if rolled:
        rollup.roll_up()
    start, end = NOW - back, NOW - back + length
    inside = [number for number, at in enumerate(history, 1) if start <= at < end]

    found = series.points("wait", start, end, step) if step else []
    whole = series.total("wait", start, end)

    if step:
        assert sum(point.summary.count for point in found) == len(inside)
        assert sum(point.summary.sum for point in found) == sum(inside)
        assert all(int(point.at.timestamp()) % step == 0 for point in found)
        assert [point.at for point in found] == sorted(point.at for point in found)
    assert (whole.count, whole.sum) == (len(inside), sum(inside))
    if inside:
        assert (whole.min, whole.max) == (min(inside), max(inside))


def test_of_old_minutes_there_are_hours(history):
    rollup.roll_up()
    start = NOW.replace(minute=0, second=0) - timedelta(days=4)
    before = series.points("wait", start, start + timedelta(hours=2), 60)
    MetricBucket.objects.filter(resolution=60, start__lt=rollup.minutes_since(NOW)).delete()

    after = series.points("wait", start, start + timedelta(hours=2), 60)

    assert [point.at for point in after] == [start, start + timedelta(hours=1)]
    assert [point.summary.count for point in after] == [3, 3]
    assert [point.summary.sum for point in before] == [point.summary.sum for point in after]


def test_days_weeks_back(history):
    rollup.roll_up()
    MetricBucket.objects.filter(resolution=60, start__lt=rollup.minutes_since(NOW)).delete()
    midnight = NOW.replace(hour=0, minute=0, second=0)

    found = series.points("wait", midnight - timedelta(days=5), NOW, 86400)

    assert [point.summary.count for point in found] == [72, 72, 72, 72, 72, 46]
    whole = series.total("wait", midnight - timedelta(days=5), NOW)
    assert whole.count == 5 * 72 + 46
    exact = sorted(range(1, 433))[-whole.count :]
    assert whole.percentile(0.5) == pytest.approx(exact[(whole.count - 1) // 2], rel=0.011)


def test_groups_and_filters(history):
    start = NOW - timedelta(hours=3)
    found = series.by("wait", start, NOW, ("route",))
    assert {key: summary.count for key, summary in found.items()} == {("/a",): 4, ("/b",): 5}
    assert series.total("wait", start, NOW, tags={"route": "/b"}).count == 5
    assert series.total("wait", start, NOW, tags={"route": "/c"}).count == 0
    assert series.total("wait", start, NOW, tags={'a"b%s': "/c"}).count == 0
    assert series.by("wait", start, NOW, ("route", "absent")).keys() == {("/a", ""), ("/b", "")}
    points = series.points("wait", start, NOW, 3600, group_by=["route"])
    assert [point.tags["route"] for point in points] == sorted(p.tags["route"] for p in points)


def test_what_was_recorded(at):
    metrics.record("wait", 1, route="/a")
    metrics.record("wait", 1, route="/b", method="GET")
    metrics.count("request.count")
    metrics.flush()

    counted, waited = series.recorded()

    assert (counted.metric.kind, counted.tags) == ("counter", [])
    assert (waited.metric.name, waited.metric.kind) == ("wait", "histogram")
    assert waited.tags == ["method", "route"]


def test_of_nothing_there_is_nothing(at):
    at(NOW)
    empty = series.total("wait", NOW - timedelta(days=40), NOW)
    assert (empty.count, empty.avg, empty.min, empty.percentile(0.5)) == (0, None, None, None)
    assert series.points("wait", NOW, NOW, 60) == []
    assert series.points("wait", NOW, NOW - timedelta(days=1), 3600) == []


def test_one_statement(history, django_assert_num_queries):
    rollup.roll_up()
    with django_assert_num_queries(1):
        series.points("wait", NOW - timedelta(days=6), NOW, 86400, group_by=["route"])
    assert MetricSeries.objects.count() == 2


def test_too_many_points_are_not_read_to_the_end(at):
    at(NOW)
    for number in range(5):
        metrics.record("wait", 1, route=f"/{number}")
    metrics.flush()

    def ask(most):
        start, end = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
        return series.points("wait", start, end, 60, group_by=["route"], most=most)

    assert len(ask(5)) == 5
    with pytest.raises(series.TooManyPoints):
        ask(4)


def test_many_rows_are_read_a_few_at_a_time(at, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(rows, "AT_ONCE", 2)
    at(NOW)
    for number in range(5):
        metrics.record("wait", number, route=f"/{number}")
    metrics.flush()
    with django_assert_num_queries(1):
        found = series.by("wait", NOW - timedelta(hours=1), NOW, ["route"])
    assert sorted(found) == [(f"/{number}",) for number in range(5)]
    assert sum(summary.sum for summary in found.values()) == 10
