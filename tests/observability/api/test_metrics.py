"""GET /api/metrics."""

from datetime import timedelta

import pytest
from django.utils import timezone

from observability import metrics
from observability.api import metrics as api_metrics

URL = "/api/metrics"


@pytest.fixture
def read(api, adam):
    def get(status=200, **query):
        query = {name.replace("tag_", "tag."): value for name, value in query.items()}
        answer = api(adam).get(URL, {"name": "wait", **query})
        assert answer.status_code == status, answer.json()
        return answer.json()

    return get


@pytest.fixture
def samples(db):
    for value in (0.1, 0.2, 0.4):
        metrics.record("wait", value, route="/a", method="GET")
    metrics.record("wait", 3, route="/b", method="GET")


def test_the_last_hour_by_minute(read, samples):
    found = read()
    assert found.keys() == {
        "name",
        "unit",
        "kind",
        "start",
        "end",
        "step",
        "group_by",
        "points",
    }
    assert (found["name"], found["kind"], found["unit"], found["step"]) == (
        "wait",
        "histogram",
        "",
        60,
    )
    assert found["start"].endswith(":00Z")
    assert sum(point["count"] for point in found["points"]) == 4
    assert found["points"][0]["tags"] == {}
    assert {"at", "sum", "min", "max", "avg", "p50", "p95", "p99"} <= found["points"][0].keys()


def test_groups_filters_and_percentiles(read, samples):
    first, second = read(step=3600, group_by="route,method", start=hours(-2), end=hours(2))[
        "points"
    ]
    assert first["tags"] == {"route": "/a", "method": "GET"}
    assert (first["count"], first["min"], first["max"]) == (3, 0.1, 0.4)
    assert first["p50"] == pytest.approx(0.2, rel=0.011)
    assert second["tags"] == {"route": "/b", "method": "GET"}
    (only,) = read(step=3600, start=hours(-2), end=hours(2), tag_route="/b")["points"]
    assert (only["count"], only["p99"]) == (1, 3)
    assert read(tag_route="/c")["points"] == []


def test_a_counter_has_no_percentiles(read, db):
    metrics.count("ai.tokens", 7, kind="input")
    found = read(name="ai.tokens", step=86400, start=hours(-2), end=hours(1))
    assert (found["kind"], found["unit"]) == ("counter", "tokens")
    assert (found["points"][-1]["sum"], found["points"][-1]["p50"]) == (7, None)


def test_a_long_range_is_read_by_the_hour(read, samples):
    assert read(start=hours(-24 * 30))["step"] == 3600


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"name": ""}, "name"),
        ({"name": "request.duratoin"}, "name"),
        ({"name": "\0"}, "name"),
        ({"step": "0"}, "step"),
        ({"step": "90"}, "step"),
        ({"step": "-60"}, "step"),
        ({"step": "a"}, "step"),
        ({"step": "²"}, "step"),
        ({"step": "99999999999999999999"}, "step"),
        ({"start": "yesterday"}, "start"),
        ({"start": "2026-01-02", "end": "2026-01-01"}, "start"),
        ({"start": "0001-01-01", "end": "9999-12-31"}, "step"),
        ({"end": "0001-01-01"}, "end"),
        ({"start": "2020-01-01", "step": "60"}, "step"),
        ({"group_by": "a b"}, "group_by"),
        ({"group_by": "a,,b"}, "group_by"),
        ({"group_by": "a,a"}, "group_by"),
        ({"group_by": "a,b,c,d,e,f"}, "group_by"),
        ({"tag_a b": "c"}, "tag"),
        ({"tag_route": "a\0b"}, "tag.route"),
        ({"stpe": "60"}, "stpe"),
    ],
)
def test_what_cannot_be_answered(read, samples, query, path):
    body = read(400, **query)
    assert body["details"]["errors"][0]["path"] == path
    assert body["error"]


def test_it_says_what_was_meant(read, db):
    assert '"request.duration"' in read(400, name="request.duratoin")["error"]
    assert "longer step" in read(400, name="request.count", start="2020-01-01", step=60)["error"]


def test_too_many_points_of_groups(read, samples, monkeypatch):
    monkeypatch.setattr(api_metrics, "MOST_POINTS", 60)
    for number in range(61):
        metrics.record("wait", 1, number=str(number))
    assert read(400, group_by="number")["details"]["errors"][0]["code"] == "too_many_points"


def test_a_known_metric_without_samples(read, db):
    assert read(name="ai.cost")["points"] == []


def test_administrators_only(api, alice, vera):
    assert api().get(URL).status_code == 401
    for user in (alice, vera):
        assert api(user).get(URL, {"name": "wait"}).status_code == 403


def test_it_only_reads(api, adam):
    assert api(adam).post(URL).status_code == 405


def hours(number):
    return (timezone.now() + timedelta(hours=number)).isoformat()
