"""Lists by cursor."""

import base64
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from accounts.models import Session
from hummbl.api.pagination import CursorPagination

URL = "/api/auth/sessions"
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def rows(alice):
    """Thirty sessions, ten to each moment: ties that a cursor by time alone would lose."""
    made = [Session.open(alice, ip=None, user_agent=str(n))[0] for n in range(30)]
    for n, session in enumerate(made):
        Session.objects.filter(pk=session.pk).update(created_at=START + timedelta(hours=n % 3))
    return Session.objects.order_by("-created_at", "-id")


def read(queryset, url):
    paginator = CursorPagination()
    request = APIView().initialize_request(APIRequestFactory().get(url))
    found = paginator.paginate_queryset(queryset, request)
    return paginator.get_paginated_response(found).data


def walk(queryset, url, direction="next"):
    while url:
        page = read(queryset, url)
        yield page
        url = page[direction]


def ids(page):
    return [row.pk for row in page["results"]]


@pytest.mark.parametrize("limit", [1, 4, 7, 10, 29, 30, 31])
def test_each_row_once_and_in_order_there_and_back(rows, limit):
    expected = [row.pk for row in rows]

    pages = list(walk(rows, f"/api/x?limit={limit}"))
    back = list(walk(rows, _last_url(rows, limit), "previous"))

    assert [pk for page in pages for pk in ids(page)] == expected
    assert [pk for page in reversed(back) for pk in ids(page)] == expected
    assert pages[0]["previous"] is None
    assert pages[-1]["next"] is None
    assert all(len(page["results"]) == limit for page in pages[:-1])


def _last_url(rows, limit):
    url = f"/api/x?limit={limit}"
    while following := read(rows, url)["next"]:
        url = following
    return url


def test_new_rows_do_not_move_the_next_page(rows, alice):
    expected = [row.pk for row in rows]
    first = read(rows, "/api/x?limit=10")
    Session.open(alice, ip=None, user_agent="new")

    second = read(rows, first["next"])

    assert ids(second) == expected[10:20]
    assert len(ids(read(rows, second["previous"]))) == 10


def test_other_parameters_stay_in_the_addresses(rows):
    page = read(rows, "/api/x?limit=5&status=failed")

    assert page["next"].startswith("http://testserver/api/x?")
    assert "status=failed" in page["next"]
    assert "limit=5" in page["next"]


def test_an_empty_list(db):
    page = read(Session.objects.all(), "/api/x")

    assert page == {"results": [], "next": None, "previous": None}


def test_fifty_rows_unless_told_otherwise(api, alice, rows):
    client = api(alice)
    for _ in range(30):
        Session.open(alice, ip=None, user_agent="")

    assert len(client.get(URL).json()["results"]) == 50
    assert len(client.get(f"{URL}?limit=100").json()["results"]) == 61


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "1.5", "1e2", "9" * 20, "٣"])
def test_bad_limits(api, alice, limit):
    """security.md 24."""
    answer = api(alice).get(URL, {"limit": limit})

    assert answer.status_code == 400
    assert answer.json()["details"]["errors"][0]["path"] == "limit"


@pytest.mark.parametrize(
    "cursor", ["x", "bnww", "====", "ä", "a" * 5000, "bnwyMDI2LTAxLTAxfG5vcGU", "\0"]
)
def test_bad_cursors(api, alice, cursor):
    answer = api(alice).get(URL, {"cursor": cursor})

    assert answer.status_code == 400
    assert answer.json()["details"]["errors"][0]["path"] == "cursor"


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_cursors_beyond_the_calendar(api, alice, moment):
    text = f"n|{moment}|{uuid.uuid4()}"

    answer = api(alice).get(URL, {"cursor": base64.urlsafe_b64encode(text.encode()).decode()})

    assert answer.status_code == 400
    assert answer.json()["details"]["errors"][0]["path"] == "cursor"
