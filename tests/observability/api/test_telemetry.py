"""POST /api/telemetry: what pages tell of themselves, as metrics.

security.md 26
"""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from observability import metrics, names, series
from observability.models import MetricBucket, MetricSeries

URL = "/api/telemetry"
VIEW = {"type": "view", "name": "/dashboard"}


def send(client, *events, **options):
    return client.post(URL, {"events": list(events)}, format="json", **options)


def found(name, *tags):
    """The metric's sums by these tags."""
    metrics.flush()
    now = timezone.now()
    read = series.by(name, now - timedelta(minutes=5), now + timedelta(minutes=5), tags)
    return {group[0] if len(group) == 1 else group: summary.sum for group, summary in read.items()}


def vital(name, value, page="/dashboard"):
    return {"type": "vital", "name": name, "props": {"value": value, "page": page}}


def test_views_by_the_pattern_of_the_page(api, db):
    one, two = (f"/workflows/0198c7a0-0000-7000-8000-00000000000{n}" for n in (1, 2))
    events = [{"type": "view", "name": path} for path in (one, two, "/dashboard", "/no/such")]
    assert send(api(), *events).status_code == 202
    assert found(names.PAGE_VIEWS, "page") == {
        "/workflows/{id}": 2,
        "/dashboard": 1,
        "unmatched": 1,
    }


def test_an_answer_without_a_body(api, db):
    response = send(api(), VIEW)
    assert response.status_code == 202
    assert response.content == b""


@pytest.mark.parametrize("path", ["/api/workflows", "/admin/", "/api", "/dashboard/../x"])
def test_what_is_no_page_of_ours(api, db, path):
    send(api(), {"type": "view", "name": path})
    assert found(names.PAGE_VIEWS, "page") == {"unmatched": 1}


def test_where_views_came_from(api, db):
    send(api(), {**VIEW, "props": {"referrer": "news.example.com"}}, VIEW)
    assert found(names.REFERRERS, "host") == {"news.example.com": 1}


def test_events_by_name_alone(api, db):
    """What else an event says may be anything, so it is no tag."""
    props = {"email": "alice@example.com", "tasks": 3, "shared": True}
    send(api(), *2 * [{"type": "event", "name": "workflow.copied", "props": props}])
    assert found(names.BROWSER_EVENTS, "event") == {"workflow.copied": 2}
    rows = MetricSeries.objects.filter(name=names.BROWSER_EVENTS)
    assert [row.tags for row in rows] == [{"event": "workflow.copied"}]


def test_vitals_by_page(api, db):
    send(api(), vital("LCP", 1.5), vital("LCP", 2.5, "/workflows"), vital("CLS", 0))
    assert found(names.WEB_VITALS, "vital", "page") == {
        ("LCP", "/dashboard"): 1.5,
        ("LCP", "/workflows"): 2.5,
        ("CLS", "/dashboard"): 0,
    }


def test_a_vital_beyond_measure_is_an_hour(api, db):
    send(api(), vital("INP", 1e300))
    assert found(names.WEB_VITALS, "vital") == {"INP": 3600}


def test_nothing_of_the_person_is_kept(api, alice):
    send(api(alice), VIEW, REMOTE_ADDR="203.0.113.9", HTTP_USER_AGENT="a-browser")
    metrics.flush()
    kept = str([*MetricSeries.objects.values(), *MetricBucket.objects.values()])
    for secret in ("203.0.113.9", "a-browser", "alice", str(alice.pk)):
        assert secret not in kept


def test_other_words_for_the_types(api, db):
    words = ("view", "page_view", "pageview")
    assert send(api(), *({**VIEW, "type": word} for word in words)).status_code == 202
    assert found(names.PAGE_VIEWS, "page") == {"/dashboard": 3}


@pytest.mark.parametrize(
    "event",
    [
        {"type": "view"},
        {"name": "/dashboard"},
        {"type": "click", "name": "a"},
        {**VIEW, "user": "alice"},
        {**VIEW, "at": "yesterday"},
        {"type": "view", "name": "dashboard"},
        {"type": "view", "name": "/" + "a" * 200},
        {**VIEW, "props": {"referrer": "https://example.com/?token=1"}},
        {**VIEW, "props": {"referrer": 5}},
        {"type": "event", "name": "Not a name"},
        {"type": "event", "name": "a" * 61},
        {"type": "event", "name": ""},
        {"type": "event", "name": 5},
        {"type": "event", "name": "a", "props": []},
        {"type": "event", "name": "a", "props": {"deep": {"er": 1}}},
        {"type": "event", "name": "a", "props": {"none": None}},
        {"type": "event", "name": "a", "props": {"long": "a" * 201}},
        {"type": "event", "name": "a", "props": {"a" * 201: 1}},
        {"type": "event", "name": "a", "props": {str(number): 1 for number in range(11)}},
        vital("FID", 1),
        vital("LCP", -1),
        vital("LCP", "1"),
        vital("LCP", True),
        vital("LCP", 1, 5),
        {"type": "vital", "name": "LCP"},
        "view",
    ],
)
def test_what_makes_no_sense(api, db, event):
    """A batch is counted as a whole or not at all."""
    response = send(api(), VIEW, event)
    assert response.status_code == 400
    assert response.json()["code"] == "invalid"
    assert response.json()["details"]["errors"][0]["path"].startswith("events[1]")
    assert found(names.PAGE_VIEWS, "page") == {}


@pytest.mark.parametrize("body", [{}, {"events": 1}, {"events": [], "more": 1}])
def test_a_body_of_another_form(api, db, body):
    assert api().post(URL, body, format="json").status_code == 400


def test_at_most_50_events(api, db):
    assert send(api(), *[VIEW] * 50).status_code == 202
    assert send(api(), *[VIEW] * 51).status_code == 400


def test_at_most_64_kilobytes(api, db):
    def of(size):
        body = json.dumps({"events": []})
        return api().post(URL, body + " " * (size - len(body)), content_type="application/json")

    assert of(64 * 1024).status_code == 202
    response = of(64 * 1024 + 1)
    assert response.status_code == 413
    assert response.json()["error"] == "The body is too large: at most 64 KB is accepted."


def test_the_text_that_sendbeacon_makes_of_a_string(api, db):
    body = json.dumps({"events": [VIEW]})
    response = api().post(URL, body, content_type="text/plain;charset=UTF-8")
    assert response.status_code == 202
    assert api().post(URL, body, content_type="text/html").status_code == 415


def test_a_cookie_without_a_csrf_token(alice, db):
    """`sendBeacon` cannot carry one; where the request comes from takes its place."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    body = json.dumps({"events": [VIEW]})
    ours = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    assert client.post(URL, body, content_type="application/json").status_code == 202
    response = client.post(URL, body, content_type="application/json", headers=ours)
    assert response.status_code == 202


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "https://testserver"},
        {"Origin": "http://testserver:81"},
        {"Origin": "http://testserver.evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    ],
)
@pytest.mark.parametrize("signed_in", [True, False])
def test_another_site(api, alice, headers, signed_in):
    response = send(api(alice if signed_in else None), VIEW, headers=headers)
    assert response.status_code == 403
    assert response.json()["code"] == "foreign_origin"
    assert found(names.PAGE_VIEWS, "page") == {}


def test_an_origin_that_the_operator_trusts(api, db, settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://hummbl.example.com"]
    origin = {"Origin": "https://hummbl.example.com"}
    assert send(api(), VIEW, headers=origin).status_code == 202
    # As browsers send it: to them it is another site, whoever trusts it.
    crossing = {**origin, "Sec-Fetch-Site": "cross-site"}
    assert send(api(), VIEW, headers=crossing).status_code == 202


def test_a_token_that_is_not_valid(bearer, db):
    assert send(bearer("nonsense"), VIEW).status_code == 401


def test_the_limit_is_its_own(api, alice, limits):
    limits(TELEMETRY="2/m", API="100/m")
    client = api(alice)
    assert [send(client, VIEW).status_code for _ in range(3)] == [202, 202, 429]
    assert client.get("/api/auth/me").status_code == 200
    assert send(api(), VIEW).status_code == 202  # of the address, not of Alice


def test_a_client_cannot_make_the_tables_grow(api, db, monkeypatch):
    """Names beyond the bound are counted together."""
    monkeypatch.setattr("observability.buffer.MOST_SERIES", 5)
    events = [{"type": "event", "name": f"made-up-{number}"} for number in range(20)]
    send(api(), *events)
    metrics.flush()
    assert MetricSeries.objects.filter(name=names.BROWSER_EVENTS).count() <= 6
    assert sum(found(names.BROWSER_EVENTS, "event").values()) == 20


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_other_methods(api, adam, method):
    assert getattr(api(adam), method)(URL).status_code == 405
