"""GET /api/errors; what POST takes is in test_error_reports.py."""

import pytest

from tests.observability.errors.support import make_error

URL = "/api/errors"


def titles(answer):
    assert answer.status_code == 200, answer.json()
    return [row["title"].partition(":")[0] for row in answer.json()["results"]]


@pytest.fixture
def many(db, adam):
    """Four errors, the last one met last."""
    made = {
        "Often": make_error(kind="Often", count=12, source="worker", severity="low"),
        "Solved": make_error(kind="Solved", source="command"),
        "Hidden": make_error(kind="Hidden", source="task"),
        "Fresh": make_error("Ünusual words", kind="Fresh", count=2),
    }
    made["Solved"].resolve(by=adam)
    made["Hidden"].ignore(by=adam)
    return made


def test_the_latest_first(api, adam, many):
    assert titles(api(adam).get(URL)) == ["Fresh", "Hidden", "Solved", "Often"]


def test_the_keys(api, adam, many):
    row = api(adam).get(URL, {"q": "fresh"}).json()["results"][0]
    group = many["Fresh"]
    assert row == {
        "id": str(group.pk),
        "title": "Fresh: Ünusual words",
        "culprit": "",
        "source": "request",
        "severity": "high",
        "status": "open",
        "regressed": False,
        "count": 2,
        "users": 0,
        "first_seen": row["first_seen"],
        "last_seen": row["last_seen"],
        "first_release": group.first_release,
        "last_release": group.last_release,
        "resolved_at": None,
        "resolved_in": "",
    }


def test_filters(api, adam, many):
    client = api(adam)
    assert titles(client.get(URL, {"status": "open"})) == ["Fresh", "Often"]
    assert titles(client.get(URL, {"status": "resolved"})) == ["Solved"]
    assert titles(client.get(URL, {"severity": "low"})) == ["Often"]
    assert titles(client.get(URL, {"source": "task", "status": "ignored"})) == ["Hidden"]
    assert titles(client.get(URL, {"q": "usual WORDS"})) == ["Fresh"]
    assert titles(client.get(URL, {"q": "nothing"})) == []


def test_a_request_id_finds_what_broke(api, adam):
    make_error(kind="Other")
    make_error(kind="Wanted", request_id="request-77")
    assert titles(api(adam).get(URL, {"q": "request-77"})) == ["Wanted"]


@pytest.mark.parametrize(
    ("sort", "first"),
    [("last_seen", "Fresh"), ("first_seen", "Fresh"), ("count", "Often")],
)
def test_sorting(api, adam, many, sort, first):
    assert titles(api(adam).get(URL, {"sort": sort}))[0] == first


@pytest.mark.parametrize("sort", ["last_seen", "first_seen", "count", "users"])
def test_pages_have_every_row_once(api, adam, many, sort):
    client, found, url = api(adam), [], f"{URL}?limit=1&sort={sort}"
    while url:
        answer = client.get(url)
        found += titles(answer)
        url = answer.json()["next"]
    assert sorted(found) == ["Fresh", "Hidden", "Often", "Solved"]


@pytest.mark.parametrize(
    "query", ["status=broken", "severity=odd", "source=moon", "sort=title", "state=open", "q=%00"]
)
def test_nonsense_is_refused(api, adam, query):
    answer = api(adam).get(f"{URL}?{query}")
    assert answer.status_code == 400
    assert answer.json()["details"]["errors"]


def test_queries_do_not_grow(api, adam, many, django_assert_max_num_queries):
    client = api(adam)
    with django_assert_max_num_queries(4):
        client.get(URL)


def test_who_may(api, alice, vera):
    assert api().get(URL).status_code == 401
    assert api(alice).get(URL).status_code == 403
    assert api(vera).get(URL).status_code == 403
