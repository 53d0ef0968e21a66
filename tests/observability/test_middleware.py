"""What is measured of every request."""

from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import async_to_sync
from django.db import OperationalError
from django.http import HttpResponse

from accounts.models import Session
from hummbl import retention
from observability import metrics, requests, series
from observability.middleware import MetricsMiddleware
from observability.models import RequestSample
from tests.factories import make_execution, make_workflow

pytestmark = pytest.mark.django_db


def recorded(name, *tags):
    """What was counted of a metric just now, by these tags."""
    metrics.flush()
    now = datetime.now(UTC)
    found = series.by(name, now - timedelta(minutes=5), now + timedelta(minutes=5), tags)
    return {key: summary.count for key, summary in found.items()}


def a_sample(route="/", *, seconds=1.0, status=200):
    return RequestSample(
        at=datetime.now(UTC),
        route=route,
        method="GET",
        path=route,
        status=status,
        seconds=seconds,
        queries=1,
    )


@pytest.fixture
def failing(monkeypatch):
    """The landing page raises, and the client gets the page that says so."""

    def fail(*_):
        raise RuntimeError("on purpose")

    monkeypatch.setattr("hummbl.pages.render", fail)


def test_a_request_counts_by_the_pattern_of_its_address(client, alice, bob):
    client.force_login(alice)
    for user in (alice, alice, bob):
        client.get(f"/workflows/{make_workflow(user).pk}")
    expected = {
        ("/workflows/{id}", "GET", "2xx"): 2,
        ("/workflows/{id}", "GET", "4xx"): 1,
    }
    assert recorded("request.duration", "route", "method", "status") == expected
    assert recorded("request.count", "route", "method", "status") == expected
    assert recorded("request.errors", "route") == {}


@pytest.mark.parametrize("path", ["/nowhere", "/api/nowhere/at/all", "/static/nowhere.js"])
def test_addresses_that_do_not_exist_are_one(client, path):
    client.get(path)
    client.get(f"{path}?page=2")
    assert recorded("request.count", "route", "status") == {("unmatched", "4xx"): 2}


def test_static_files_are_left_out(client):
    assert client.get("/static/favicon.svg").status_code == 200
    assert recorded("request.count", "route") == {}


def test_any_word_as_a_method_is_one(client):
    for word in ("BREW", "PROPFIND"):
        client.generic(word, "/")
    assert recorded("request.count", "method") == {("OTHER",): 2}


def test_an_error_counts_and_can_be_looked_at(client, failing):
    client.raise_request_exception = False
    client.get("/?token=canary", headers={"X-Request-ID": "request-0001"})
    assert recorded("request.errors", "route", "method") == {("/", "GET"): 1}
    (sample,) = RequestSample.objects.all()
    assert (sample.route, sample.path, sample.status) == ("/", "/", 500)
    assert (sample.request_id, sample.user_id) == ("request-0001", None)


def test_secrets_in_a_path_are_not_kept(rf, alice):
    request = rf.get("/workflows/token=canary?key=canary")
    request.request_id, request.user = "request-0002", alice
    MetricsMiddleware(lambda _: HttpResponse(status=503))(request)
    metrics.flush()
    (sample,) = RequestSample.objects.all()
    assert sample.path == "/workflows/token=[redacted]"
    assert (sample.request_id, sample.user_id) == ("request-0002", alice.pk)


def test_the_slowest_request_of_a_route_is_kept(client, alice, monkeypatch):
    monkeypatch.setattr(requests, "SLOW_SECONDS", 0.0)
    client.force_login(alice)
    for _ in range(3):
        client.get("/workflows")
    metrics.flush()
    first = RequestSample.objects.get(route="/workflows")
    assert first.queries > 0
    assert first.user_id == alice.pk
    requests.offer(a_sample("/workflows", seconds=9.0))
    requests.offer(a_sample("/workflows", seconds=8.0))
    metrics.flush()
    slowest = RequestSample.objects.get(route="/workflows")
    assert (slowest.pk, slowest.seconds) == (first.pk, 9.0)


def test_statements_count_where_a_request_changes_threads(async_client, alice, monkeypatch):
    monkeypatch.setattr(requests, "SLOW_SECONDS", 0.0)
    _, token = Session.open(alice, ip="127.0.0.1", user_agent="tests")
    ask = async_to_sync(async_client.get)
    answer = ask("/api/workflows", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    metrics.flush()
    sample = RequestSample.objects.get(route="/api/workflows")
    assert sample.queries > 1
    assert sample.user_id == alice.pk


def test_a_live_stream_counts_when_it_begins(api, alice):
    execution = make_execution(make_workflow(alice))
    answer = api(alice).get(f"/api/executions/{execution.pk}/stream")
    assert answer.streaming
    assert recorded("request.count", "route", "status") == {
        ("/api/executions/{id}/stream", "2xx"): 1
    }


def test_what_a_database_that_is_away_refuses_is_written_later(monkeypatch):
    def refuse(*_, **__):
        raise OperationalError("away")

    requests.offer(a_sample(status=500))
    with monkeypatch.context() as broken:
        broken.setattr(type(RequestSample.objects), "bulk_create", refuse)
        metrics.flush()
        for number in range(1000):
            requests.offer(a_sample(f"/{number}", seconds=number))
    metrics.flush()
    assert RequestSample.objects.filter(status=500).count() == 1
    assert RequestSample.objects.filter(status=200).count() == 10


def test_they_are_kept_for_a_week():
    now = datetime.now(UTC)
    for days in (1, 8):
        sample = a_sample(f"/{days}")
        sample.at = now - timedelta(days=days)
        sample.save()
    (deleted,) = (found for found in retention.run() if found.name == "request samples")
    assert deleted.rows == 1
    assert RequestSample.objects.get().route == "/1"


def test_a_storm_leaves_few_rows():
    for number in range(1000):
        requests.offer(a_sample(f"/slow/{number}", seconds=number))
        requests.offer(a_sample(f"/broken/{number % 20}", status=500))
    metrics.flush()
    slow = RequestSample.objects.filter(status=200)
    assert {sample.seconds for sample in slow} == set(range(990, 1000))
    failed = RequestSample.objects.filter(status=500)
    assert len(failed) == 10
    assert failed.filter(route="/broken/0").count() == 1


def test_one_broken_route_leaves_room_for_others():
    for _ in range(20):
        requests.offer(a_sample("/broken", status=500))
    requests.offer(a_sample("/other", status=502))
    metrics.flush()
    assert RequestSample.objects.filter(route="/broken").count() == 3
    assert RequestSample.objects.filter(route="/other").count() == 1
