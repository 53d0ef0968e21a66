"""What charts and tables are made of: each metric read once, merged, never averaged."""

from datetime import UTC, datetime, timedelta

import pytest
from django.http import QueryDict
from django.utils import timezone

from observability import names, ranges
from observability.dashboard import charts, lines, links, panels, units
from observability.dashboard.grid import Source, read
from observability.models import MetricBucket
from tests.observability.history import make_bucket, make_series

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 15, 17, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture
def hour():
    """The last hour, by the minute."""
    return ranges.asked(QueryDict())


def past(name, samples, **tags):
    """`samples` by how many minutes ago."""
    series = make_series(name, **tags)
    minute = NOW.replace(second=0)
    MetricBucket.objects.bulk_create(
        make_bucket(series, minute - timedelta(minutes=age), values)
        for age, values in samples.items()
    )


def draw(drawing, shown):
    """The lines as they are drawn, and as one value each for the whole range."""
    grid = read(drawing.sources, shown)
    whole = grid.merged(1)
    said = {line.label: line.values[0] for line in drawing.lines(whole, whole)}
    return {line.label: line.values for line in drawing.lines(grid, whole)}, said


def test_percentiles_are_those_of_all_samples_together(hour):
    past("wait", {1: [1.0] * 99, 2: [1.0]}, route="/a")
    past("wait", {1: [100.0], 2: [100.0] * 99}, route="/b")
    steps, whole = draw(lines.percentiles("wait"), hour)
    assert steps["p50"][-2] == pytest.approx(1, rel=0.011)
    assert steps["p50"][-1] is None
    assert steps["p50"][-3] == pytest.approx(100, rel=0.011)
    assert whole["p99"] == pytest.approx(100, rel=0.011)
    assert steps["p95"][0] is None


def test_rates_count_the_time_that_has_passed(hour):
    past("hits", {0: [1.0] * 5, 1: [1.0] * 10}, kind="a")
    steps, whole = draw(lines.by_known("hits", "kind", lines.per_minute, {"a": ("A", "c1")}), hour)
    assert steps["A"][-2:] == [10, 10]
    assert steps["A"][0] == 0
    assert whole["A"] == pytest.approx(15 / 59.5)


def test_what_is_not_known_is_one_line(hour):
    for kind in ("a", "b", "c"):
        past("hits", {1: [2.0]}, kind=kind)
    _, whole = draw(lines.by_known("hits", "kind", lines.amount, {"a": ("A", "c1")}), hour)
    assert whole == {"A": 2, lines.OTHERS: 4}


def test_the_most_frequent_have_a_line_each(hour):
    for number in range(8):
        past("hits", {1: [1.0] * (8 - number)}, provider="one", model=f"m{number}")
    _, whole = draw(lines.by_tags("hits", ("provider", "model"), lines.amount), hour)
    assert whole == {"m0": 8, "m1": 7, "m2": 6, "m3": 5, "m4": 4, lines.OTHERS: 6}


def test_same_names_are_told_apart_by_their_other_tags(hour):
    for provider in ("one", "two"):
        past("hits", {1: [1.0]}, provider=provider, model="m")
    past("hits", {1: [1.0]}, provider="one", model="")
    _, whole = draw(lines.by_tags("hits", ("provider", "model"), lines.amount), hour)
    assert set(whole) == {"m · one", "m · two", lines.UNNAMED}


def test_shares(hour):
    past("hits", {1: [1.0] * 3})
    past("misses", {1: [1.0], 2: [1.0]})
    steps, whole = draw(lines.share("hits", "misses", "Hits", "good"), hour)
    assert steps["Hits"][-4:] == [None, 0, 0.75, None]
    assert whole["Hits"] == pytest.approx(3 / 5)
    past("asked", {1: [1.0] * 9}, status="2xx")
    past("asked", {1: [1.0]}, status="5xx")
    _, whole = draw(lines.share_of_tag("asked", "status", "5xx", "Bad", "bad"), hour)
    assert whole["Bad"] == pytest.approx(0.1)


def test_gauges_are_averaged(hour):
    past("alive", {1: [2.0], 2: [0.0]})
    steps, whole = draw(lines.single("alive", "Workers", lines.mean), hour)
    assert steps["Workers"][-4:] == [None, 0, 2, None]
    assert whole["Workers"] == 1


def test_beside_a_gauge_stands_what_it_said_last(hour):
    past(names.WORKERS_ALIVE, {1: [3.0], 2: [0.0]})
    shown = {chart.panel.slug: chart for chart in charts.charts([panels.WORKERS], hour)}
    assert [key.whole for key in shown["workers"].legend] == ["3"]


def test_a_metric_is_read_once_for_all_its_groupings(hour, django_assert_num_queries):
    past("wait", {1: [1.0, 2.0]}, route="/a", method="GET")
    past("wait", {1: [3.0]}, route="/b", method="GET")
    one, other, whole = Source("wait", ("route",)), Source("wait", ("method",)), Source("wait")
    with django_assert_num_queries(1):
        grid = read([one, other, whole, one], hour)
    step = grid.merged(1).steps[0]
    assert step.of(one, ("/a",)).count == 2
    assert step.of(other, ("GET",)).count == 3
    assert step.of(whole).max == step.all_of(one).max == 3
    assert step.of(whole).percentile(1) == pytest.approx(3, rel=0.011)


def test_a_table_has_few_rows_the_newest_first(hour):
    past(names.REQUEST_COUNT, {age: [1.0] for age in range(60)}, status="2xx")
    (chart,) = charts.charts([panels.TRAFFIC], hour)
    assert len(chart.rows) == charts.MOST_ROWS
    assert chart.rows[0].end == hour.end
    assert chart.rows[-1].start == hour.start
    assert chart.rows[1].values == ["1/min"]
    assert chart.rows[-1].query == "start=2026-11-22T14:18&end=2026-11-22T14:23"
    assert chart.rows[-1].links == [
        ("Requests", "/manage/metrics/requests?start=2026-11-22T14:18&end=2026-11-22T14:23")
    ]
    assert [label for label, _ in chart.links] == ["Requests", "Errors", "Runs"]
    assert chart.summary == "Requests: 2xx 1/min"


def test_nothing_is_empty(hour):
    assert all(chart.is_empty for tab in panels.TABS for chart in charts.show(tab, hour).charts)


def test_panels_draw_metrics_that_exist():
    for tab in panels.TABS:
        for panel in tab.panels:
            for source in panel.drawing.sources:
                assert source.name in names.METRICS


def test_lists_are_offered_once():
    before = links.of(links.REQUESTS)
    links.register_ours()
    assert links.of(links.REQUESTS) == before


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (None, units.SECONDS, "–"),
        (0.0004, units.SECONDS, "0.4 ms"),
        (0.2034, units.SECONDS, "203 ms"),
        (75, units.SECONDS, "1 m 15 s"),
        (1234.6, units.AMOUNT, "1,235"),
        (0.04, units.RATE, "0.04/min"),
        (0.0001, units.RATE, "<0.01/min"),
        (2.5, units.RATE, "2.5/min"),
        (0.125, units.SHARE, "12.5%"),
        (0.0042, units.DOLLARS, "$0.0042"),
        (5 * 1024 * 1024, units.BYTES, "5.0 MB"),
    ],
)
def test_units(value, unit, said):
    assert units.say(value, unit) == said
