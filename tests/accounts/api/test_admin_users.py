"""GET /api/admin/users."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AccessToken, Session
from tests.factories import make_user

URL = "/api/admin/users"


def emails(answer):
    assert answer.status_code == 200, answer.json()
    return [row["email"].partition("@")[0] for row in answer.json()["results"]]


def test_everybody_newest_first(api, adam, alice, vera):
    assert emails(api(adam).get(URL)) == ["vera", "alice", "adam"]


def test_the_keys(api, adam):
    """security.md 4: the keys of the answer are these and no others."""
    (row,) = api(adam).get(URL).json()["results"]

    assert row == {
        "id": str(adam.pk),
        "email": "adam@example.com",
        "name": "Adam Example",
        "role": "admin",
        "is_active": True,
        "email_verified": adam.email_verified,
        "created_at": adam.created_at.isoformat().replace("+00:00", "Z"),
        "last_login_at": None,
        "sessions": 1,
    }


def test_only_living_sessions_count(api, adam, alice):
    for _ in range(2):
        Session.open(alice, ip=None, user_agent="")
    expired, _ = Session.open(alice, ip=None, user_agent="")
    Session.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(seconds=1))

    rows = api(adam).get(URL).json()["results"]

    assert {row["email"]: row["sessions"] for row in rows} == {
        "alice@example.com": 2,
        "adam@example.com": 1,
    }


def test_filters(api, adam, alice, bob, vera):
    bob.is_active = False
    bob.save()
    client = api(adam)

    assert emails(client.get(URL, {"search": "ALICE@"})) == ["alice"]
    assert emails(client.get(URL, {"search": "vera ex"})) == ["vera"]
    assert emails(client.get(URL, {"role": "user"})) == ["bob", "alice"]
    assert emails(client.get(URL, {"is_active": "false"})) == ["bob"]
    assert emails(client.get(URL, {"is_active": "true", "role": "user"})) == ["alice"]
    assert emails(client.get(URL, {"search": "%"})) == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"role": "root"}, "invalid_choice"),
        ({"is_active": "1"}, "invalid_choice"),
        ({"serach": "bob"}, "unknown_filter"),
        ({"search": "\0"}, "invalid"),
        ({"search": "x" * 201}, "invalid"),
        ({"cursor": "x"}, "invalid_cursor"),
        ({"limit": "101"}, "invalid_limit"),
    ],
    ids=["role", "is_active", "misspelt", "nul", "long", "cursor", "limit"],
)
def test_what_makes_no_sense_is_refused(api, adam, query, code):
    """security.md 24: at most 100 rows, filters from a list of allowed names."""
    answer = api(adam).get(URL, query)
    assert answer.status_code == 400
    assert answer.json()["details"]["errors"][0]["code"] == code


def test_goes_on_by_cursor(api, adam, alice, bob):
    client = api(adam)
    page = client.get(URL, {"limit": 2}).json()
    assert [row["name"] for row in page["results"]] == ["Bob Example", "Alice Example"]
    assert emails(client.get(page["next"])) == ["adam"]


def test_anonymous(api, db):
    assert api().get(URL).status_code == 401


@pytest.mark.parametrize("who", ["alice", "vera"])
def test_other_roles(api, request, who):
    answer = api(request.getfixturevalue(who)).get(URL)
    assert (answer.status_code, answer.json()["code"]) == (403, "admin_only")


def test_other_methods(api, adam):
    assert api(adam).post(URL, {}).status_code == 405


@pytest.mark.parametrize(
    ("scopes", "status"),
    [(["read", "admin"], 200), (["read"], 403), (["admin", "write"], 403)],
    ids=["read-admin", "read", "admin-write"],
)
def test_an_access_token_reads_with_the_scopes_admin_and_read(api, adam, scopes, status):
    _, secret = AccessToken.issue(
        adam, name="t", scopes=scopes, expires_at=timezone.now() + timedelta(days=1)
    )
    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")

    assert client.get(URL).status_code == status


def test_query_count_is_constant(api, adam, django_assert_num_queries):
    client = api(adam)
    with django_assert_num_queries(3):  # the session, the users, their sessions
        client.get(URL)
    for number in range(5):
        Session.open(make_user(f"{number}@example.com"), ip=None, user_agent="")
    with django_assert_num_queries(3):
        assert len(client.get(URL).json()["results"]) == 6
