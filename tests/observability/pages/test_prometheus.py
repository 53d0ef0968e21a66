"""`/metrics`."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from observability import metrics, names, prometheus, rollup
from observability.models import MetricBucket, MetricSeries
from observability.models.metric import EVER, MINUTE
from observability.sketch import of, pack

URL = "/metrics"
TOKEN = "canary-0123456789-0123456789"


@pytest.fixture
def read(client, db, settings):
    """`read()` has every sample by its name and labels, as Prometheus has them."""
    settings.PROMETHEUS_TOKEN = TOKEN

    def read():
        metrics.flush()
        response = client.get(URL, headers={"Authorization": f"Bearer {TOKEN}"})
        assert response.status_code == 200
        assert response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert "no-store" in response["Cache-Control"]
        return {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(response.text)
            for sample in family.samples
        }

    return read


@pytest.mark.parametrize("sent", [None, f"Bearer {TOKEN}", "Bearer "])
def test_without_a_token_there_is_no_such_page(client, db, sent):
    headers = {"Authorization": sent} if sent else {}
    assert client.get(URL, headers=headers).status_code == 404


@pytest.mark.parametrize(
    "sent", [None, "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer é{TOKEN}"]
)
def test_a_wrong_token(client, db, settings, sent):
    settings.PROMETHEUS_TOKEN = TOKEN
    response = client.get(URL, headers={"Authorization": sent} if sent else {})
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer ")
    assert TOKEN not in response.text


def test_it_only_reads(client, db):
    assert client.post(URL).status_code == 405


def test_being_an_administrator_is_not_enough(client, adam, settings):
    settings.PROMETHEUS_TOKEN = TOKEN
    client.force_login(adam)
    assert client.get(URL).status_code == 401


def test_a_histogram(read):
    for seconds in (0.25, 0.26, 0.5, 1.0, 3.0, 1000.0):
        metrics.record(names.REQUEST_DURATION, seconds, route="/a", method="GET", status="2xx")
    found = read()
    labels = (("method", "GET"), ("route", "/a"), ("status", "2xx"))
    name = "hummbl_request_duration_seconds"

    def bucket(le):
        return found[f"{name}_bucket", *sorted([*labels, ("le", le)])]

    assert [bucket(le) for le in ("0.125", "0.25", "0.5", "1.0", "2.0", "4.0", "64.0", "+Inf")] == [
        0, 1, 3, 4, 4, 5, 5, 6,
    ]  # fmt: skip
    assert found[f"{name}_count", *labels] == 6
    assert found[f"{name}_sum", *labels] == pytest.approx(1005.01)


def test_values_at_and_below_zero_are_in_every_bucket(read):
    for value in (-5.0, 0.0, 2.0**-40):
        metrics.record("mine", value)
    found = read()
    assert found["hummbl_mine_bucket", ("le", str(2.0**-10))] == 3
    assert found["hummbl_mine_sum",] == pytest.approx(-5)


def test_what_is_said_of_a_metric(client, db, settings):
    settings.PROMETHEUS_TOKEN = TOKEN
    metrics.count(names.CACHE_HITS, kind="x")
    metrics.record("mine", 1.0)
    metrics.flush()
    response = client.get(URL, headers={"Authorization": f"Bearer {TOKEN}"})
    found = {family.name: family for family in text_string_to_metric_families(response.text)}
    assert [found[name].type for name in ("hummbl_up", "hummbl_mine", "hummbl_cache_hits")] == [
        "gauge", "histogram", "counter",
    ]  # fmt: skip
    assert found["hummbl_cache_hits"].documentation == names.METRICS[names.CACHE_HITS].help
    assert found["hummbl_mine"].documentation == "Recorded as mine"


def test_a_histogram_without_sketches_has_empty_buckets(read):
    series = MetricSeries.objects.create(name="mine", tags={}, digest="x")
    MetricBucket.objects.create(
        series=series, resolution=EVER, start=timezone.now(), count=2, sum=1e400, min=1, max=1
    )
    found = read()
    assert found["hummbl_mine_bucket", ("le", "1.0")] == 0
    assert found["hummbl_mine_bucket", ("le", "+Inf")] == found["hummbl_mine_count",] == 2
    assert found["hummbl_mine_sum",] == float("inf")


def test_a_counter(read):
    metrics.count(names.REQUEST_COUNT, route="/a", method="GET", status="2xx")
    metrics.count(names.AI_COST, 0.25, provider="openai", model="gpt-5-mini")
    metrics.count(names.AI_TOKENS, 7, provider="openai", model="gpt-5-mini", kind="input")
    found = read()
    labels = ("model", "gpt-5-mini"), ("provider", "openai")
    assert found["hummbl_request_total", ("method", "GET"), ("route", "/a"), ("status", "2xx")] == 1
    assert found["hummbl_ai_cost_dollars_total", *labels] == 0.25
    assert found["hummbl_ai_tokens_total", ("kind", "input"), *labels] == 7


def test_a_gauge_is_its_newest_minute(read):
    series = MetricSeries.objects.create(name=names.QUEUE_DEPTH, tags={}, digest="x")
    now = timezone.now()
    for minutes, value in ((9, 1), (2, 40), (1, 30)):
        start = now - timedelta(minutes=minutes)
        MetricBucket.objects.create(
            series=series, resolution=MINUTE, start=start, count=2, sum=2 * value, min=0, max=99
        )
    assert read()["hummbl_queue_depth",] == 30
    MetricBucket.objects.filter(start__gt=now - timedelta(minutes=5)).delete()
    assert ("hummbl_queue_depth",) not in read()


def test_each_sample_counts_once_before_and_after_the_roll_up(read):
    """What was rolled up, and the minutes of two processes that were not."""
    tags = {"outcome": "completed"}
    series = MetricSeries.objects.create(name=names.EXECUTION_DURATION, tags=tags, digest="x")

    def bucket(resolution, writer, value, **fields):
        start = datetime(2026, 1, 1, tzinfo=UTC) if resolution else datetime(1970, 1, 1, tzinfo=UTC)
        return MetricBucket.objects.create(
            series=series, resolution=resolution, start=start, writer=writer, count=1, sum=value,
            min=value, max=value, sketch=pack(of([value])), **fields,
        )  # fmt: skip

    bucket(EVER, 0, 1)
    bucket(MINUTE, 1, 1, rolled=True)
    bucket(MINUTE, 2, 2)
    bucket(MINUTE, 3, 4)
    bucket(3600, 0, 1)
    found = read()
    label = ("outcome", "completed")
    name = "hummbl_execution_duration_seconds"
    assert (found[f"{name}_count", label], found[f"{name}_sum", label]) == (3, 7)
    assert [found[f"{name}_bucket", ("le", le), label] for le in ("1.0", "2.0", "4.0", "+Inf")] == [
        1, 2, 3, 3,
    ]  # fmt: skip


def test_the_roll_up_changes_nothing(read, monkeypatch):
    ago = timezone.now() - timedelta(minutes=10)
    with monkeypatch.context() as patch:
        patch.setattr("time.time", ago.timestamp)
        for value in (0.001, 0.3, 700.0):
            metrics.record("mine", value, kind="a")
        before = read()
    assert rollup.roll_up() == MetricBucket.objects.filter(resolution=MINUTE, rolled=True).count()
    mine = {key: value for key, value in before.items() if key[0].startswith("hummbl_mine")}
    assert mine["hummbl_mine_count", ("kind", "a")] == 3
    assert mine.items() <= read().items()
    metrics.record("mine", 0.3, kind="a")
    assert read()["hummbl_mine_count", ("kind", "a")] == 4


def test_labels_are_escaped(read):
    value = 'a "quoted" \\ path\nof two lines'
    series = MetricSeries.objects.create(name=names.CACHE_HITS, tags={"kind": value}, digest="x")
    MetricBucket.objects.create(
        series=series, resolution=EVER, start=timezone.now(), count=1, sum=1, min=1, max=1
    )
    assert read()["hummbl_cache_hits_total", ("kind", value)] == 1


def test_tags_that_prometheus_keeps_for_itself(read):
    metrics.count(names.BROWSER_EVENTS, **{"le": "1", "__name__": "x", "Größe": "y", "a-b": "z"})
    labels = ("Gr__e", "y"), ("a_b", "z"), ("tag___name__", "x"), ("tag_le", "1")
    assert read()["hummbl_browser_events_total", *labels] == 1


def test_texts_of_statements_are_no_labels(read):
    for statement in ("SELECT 1", "SELECT 2"):
        metrics.record(names.DB_SLOW_QUERIES, 1.0, statement=statement)
    assert read()["hummbl_db_query_slow_seconds_count",] == 2


def test_of_two_names_that_are_one_there_the_first_counts(read):
    metrics.record("mine.own", 1.0)
    metrics.record("mine_own", 1.0)
    metrics.record("mine_own", 1.0)
    assert read()["hummbl_mine_own_count",] == 1


def test_health_is_there(read):
    found = read()
    assert found["hummbl_up",] == 0  # no worker
    assert found["hummbl_health", ("check", "worker")] == 0
    assert found["hummbl_health", ("check", "database")] == 1
    assert found["hummbl_migrations_pending",] == 0


def test_without_a_database_it_says_so(read, monkeypatch):
    metrics.count(names.CACHE_HITS, kind="x")

    def broken(_self):
        raise DatabaseError("refused")

    monkeypatch.setattr(MigrationRecorder, "has_table", broken)
    found = read()
    assert found["hummbl_up",] == found["hummbl_health", ("check", "database")] == 0
    assert not any(name.startswith("hummbl_cache") for name, *_ in found)


def test_every_metric_has_a_name_of_its_own():
    exported = [prometheus.exported_name(metric) for metric in names.METRICS.values()]
    assert len(set(exported)) == len(exported)
    assert prometheus.EDGES.keys() <= {
        name for name, metric in names.METRICS.items() if metric.kind == "histogram"
    }


def test_many_series_take_few_statements(read, django_assert_max_num_queries):
    for number in range(200):
        metrics.record(names.REQUEST_DURATION, 0.1, route=f"/{number}", method="GET", status="2xx")
    metrics.flush()
    with django_assert_max_num_queries(12):  # health's, and two
        found = read()
    counts = [key for key in found if key[0] == "hummbl_request_duration_seconds_count"]
    assert len(counts) >= 200
