"""/manage/metrics, whose figures are tested with the dashboard."""

import json
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from hummbl import cache
from observability import metrics, names
from observability.dashboard.panels import TABS
from observability.models import Release
from tests.observability.history import make_history, noise

URL = "/manage/metrics"


@pytest.fixture
def busy(db):
    """A little of everything."""
    for status in ("2xx", "5xx"):
        tags = {"route": "/executions/{id}", "method": "GET", "status": status}
        metrics.record(names.REQUEST_DURATION, 0.25, **tags)
        metrics.count(names.REQUEST_COUNT, **tags)
    metrics.record(names.DB_SLOW_QUERIES, 0.4, statement="SELECT <b> FROM c WHERE d = ?")
    for name in (names.AI_CALL_DURATION, names.AI_TOKENS, names.AI_COST):
        metrics.record(name, 1.5, provider="anthropic", model="claude-sonnet-4-5", kind="input")
    metrics.count(names.AI_ERRORS, provider="openai", model="gpt-5-mini", code="timeout")
    metrics.flush()


def body(client, **query):
    response = client.get(URL, query)
    assert response.status_code == 200
    return response.content.decode()


def data(page, name):
    found = re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', page)
    return json.loads(found[1])


@pytest.mark.parametrize("tab", [tab.slug for tab in TABS])
def test_every_chart_has_data_and_a_table(browse, adam, busy, tab):
    page = body(browse(adam), tab=tab)
    shown = next(each for each in TABS if each.slug == tab)
    for panel in shown.panels:
        assert f'data-plot="{panel.slug}"' in page
        drawn = data(page, f"data-{panel.slug}")
        assert all(len(line["values"]) == drawn["steps"] == 60 for line in drawn["lines"])
        if any(any(line["values"]) for line in drawn["lines"]):
            assert f'id="more-{panel.slug}"' in page
    assert "style=" not in page


def test_the_figures(browse, adam, busy):
    client = browse(adam)
    page = body(client, tab="requests")
    assert data(page, "data-error-rate")["lines"][0]["values"][-1] == 0.5
    assert "250 ms" in page
    assert "/executions/{id}" in page
    assert "route=/executions/%7Bid%7D" in page
    page = body(client, tab="database")
    assert "SELECT &lt;b&gt; FROM c WHERE d = ?" in page
    page = body(client, tab="models")
    assert "claude-sonnet-4-5" in page
    assert "$1.50" in page


def test_nothing_yet(browse, adam):
    client = browse(adam)
    for tab in TABS:
        page = body(client, tab=tab.slug, start="2026-01-01T00:00", end="2026-01-02T00:00")
        assert page.count("Nothing in this time") == len(tab.panels)
        assert "hx-trigger" not in page


def test_what_makes_no_sense_is_the_overview_of_the_last_hour(browse, adam):
    page = body(browse(adam), tab="<b>", range="1y")
    assert "Last hour, as of" in page
    assert 'data-plot="spend"' in page
    assert "tab=%3Cb%3E" in page


def test_htmx_gets_what_changes(browse, adam, fragment):
    page = browse(adam).get(f"{URL}?tab=system&range=6h", **fragment).content.decode()
    assert "<html" not in page
    assert 'hx-get="?range=6h&amp;tab=system"' in page
    assert 'data-plot="workers"' in page


def test_releases_are_marked(browse, adam):
    now = timezone.now()
    Release.objects.create(name="1.0", first_seen=now - timedelta(minutes=5))
    Release.objects.create(name="0.9", first_seen=now - timedelta(days=5))
    assert [mark["label"] for mark in data(body(browse(adam)), "marks")] == ["1.0"]


@pytest.mark.parametrize("tab", [tab.slug for tab in TABS])
def test_queries_do_not_grow_with_what_there_is(browse, adam, tab, django_assert_max_num_queries):
    client = browse(adam)
    for hour in range(2):
        for route in range(3):
            make_history(
                names.REQUEST_DURATION,
                timezone.now() - timedelta(hours=hour),
                3,
                noise(1, 0.1),
                route=f"/{hour}/{route}",
                method="GET",
                status="2xx",
            )
        cache.clear()
        with django_assert_max_num_queries(22):
            client.get(URL, {"tab": tab, "range": "30d"})


def test_is_linked(browse, adam, alice):
    assert f'href="{URL}"' in browse(adam).get("/dashboard").content.decode()
    assert f'href="{URL}"' not in browse(alice).get("/dashboard").content.decode()


@pytest.mark.parametrize("who", ["alice", "vera"])
def test_other_roles_are_refused(browse, request, who):
    assert browse(request.getfixturevalue(who)).get(URL).status_code == 403


def test_strangers_sign_in_first(browse, db, fragment):
    assert browse().get(URL)["Location"] == f"/signin?next={URL}"
    assert browse().get(URL, **fragment)["HX-Refresh"] == "true"


def test_other_methods_are_refused(browse, adam):
    assert browse(adam).post(URL).status_code == 405
