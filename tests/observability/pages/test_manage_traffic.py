"""/manage/traffic: what browsers told."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from observability import metrics, names

URL = "/manage/traffic"


def record(pages=2, lcp=1.0, events=1):
    for number in range(pages):
        page = f"/page-{number}"
        metrics.count(names.PAGE_VIEWS, pages - number, page=page)
        metrics.record(names.WEB_VITALS, lcp, vital="LCP", page=page)
        metrics.record(names.WEB_VITALS, 0.05, vital="CLS", page=page)
    for number in range(events):
        metrics.count(names.BROWSER_EVENTS, event=f"event-{number}")
        metrics.count(names.REFERRERS, host=f"site-{number}.example.com")
    metrics.flush()


def text(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_pages_by_views_with_their_vitals(browse, adam):
    record()
    response = browse(adam).get(URL)
    assert response.status_code == 200
    said = text(response)
    assert said.index("/page-0 2") < said.index("/page-1 1")
    assert "1.0 s (Good)" in said
    assert "0.05 (Good)" in said
    assert "event-0 1 100%" in said
    assert "site-0.example.com 1 100%" in said
    assert "style=" not in response.content.decode()


@pytest.mark.parametrize(
    ("lcp", "word"),
    [(2.4, "Good"), (2.6, "Needs improvement"), (3.9, "Needs improvement"), (4.1, "Poor")],
)
def test_vitals_are_judged_by_their_p75(browse, adam, lcp, word):
    """Of web.dev's bounds: good up to 2.5 s, poor beyond 4 s."""
    for value in (lcp, lcp, lcp, 60):
        metrics.record(names.WEB_VITALS, value, vital="LCP", page="/dashboard")
    metrics.flush()
    assert f"{word} " in text(browse(adam).get(URL)).split("When the page looks loaded")[0][-60:]


def test_nothing_yet(browse, adam):
    said = text(browse(adam).get(URL))
    assert "No page was viewed in this time" in said
    assert "Nobody followed a link from another site." in said
    assert "Nothing was measured." in said


def test_another_time(browse, adam):
    record()
    long_ago = (datetime.now(UTC) - timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M")
    then = (datetime.now(UTC) - timedelta(hours=4)).strftime("%Y-%m-%dT%H:%M")
    assert "/page-0" not in text(browse(adam).get(URL, {"start": long_ago, "end": then}))
    assert "/page-0" in text(browse(adam).get(URL, {"range": "6h"}))


def test_htmx_gets_what_changes(browse, adam):
    response = browse(adam).get(URL, headers={"HX-Request": "true"})
    body = response.content.decode()
    assert body.lstrip().startswith('<div id="metrics"')
    assert "<html" not in body


def test_for_administrators_alone(browse, alice, vera):
    for user in (alice, vera):
        assert browse(user).get(URL).status_code == 403


def test_as_many_queries_for_many_pages(browse, adam):
    def queries():
        with CaptureQueriesContext(connection) as found:
            browse(adam).get(URL)
        return len(found)

    record(pages=1)
    queries()
    few = queries()
    record(pages=30, events=20)
    assert queries() <= few
