"""GET and DELETE /api/auth/sessions, and DELETE /api/auth/sessions/{id}."""

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Session

URL = "/api/auth/sessions"


def test_the_own_sessions_newest_first(api, alice, bob):
    old = api(alice)
    new = api(alice)
    api(bob)

    found = new.get(URL).json()["results"]

    assert [row["is_current"] for row in found] == [True, False]
    assert [row["is_current"] for row in old.get(URL).json()["results"]] == [False, True]


def test_the_keys(api, alice):
    """security.md 4: no digest, no token."""
    body = api(alice).get(URL).json()

    assert set(body) == {"results", "next", "previous"}
    assert set(body["results"][0]) == {
        "id",
        "kind",
        "device",
        "ip",
        "user_agent",
        "created_at",
        "last_used_at",
        "expires_at",
        "is_current",
    }


def test_expired_ones_are_gone(api, alice):
    api(alice)
    Session.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert len(api(alice).get(URL).json()["results"]) == 1


def test_browsers_and_programs_alike(api, alice):
    program, browser = api(alice), Client()
    browser.force_login(alice)

    for client, kind in ((program, "api"), (browser, "browser")):
        found = client.get(URL).json()["results"]
        assert {row["kind"] for row in found} == {"api", "browser"}
        assert [row["kind"] for row in found if row["is_current"]] == [kind]


def test_a_program_ends_a_browser_s_session(api, alice):
    browser = Client()
    browser.force_login(alice)
    session = alice.sessions.get()

    assert api(alice).delete(f"{URL}/{session.pk}").status_code == 204

    assert browser.get("/api/auth/me").status_code == 401


def test_ending_all_others(api, alice, bob):
    client, other, browser, stranger = api(alice), api(alice), Client(), api(bob)
    browser.force_login(alice)

    assert client.delete(URL).status_code == 204

    assert client.get(URL).status_code == 200
    assert other.get(URL).status_code == 401
    assert browser.get("/api/auth/me").status_code == 401
    assert stranger.get(URL).status_code == 200


def test_a_browser_needs_the_csrf_token_to_end_anything(alice):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)

    assert browser.delete(URL).status_code == 403
    assert browser.delete(f"{URL}/{alice.sessions.get().pk}").status_code == 403
    assert alice.sessions.count() == 1


def test_two_queries_however_many(api, alice, django_assert_num_queries):
    client = api(alice)
    for _ in range(10):
        api(alice)

    with django_assert_num_queries(2):
        assert len(client.get(URL).json()["results"]) == 11


def test_ending_one(api, alice):
    client, other = api(alice), api(alice)
    rows = client.get(URL).json()["results"]
    (pk,) = [row["id"] for row in rows if not row["is_current"]]

    assert client.delete(f"{URL}/{pk}").status_code == 204

    assert other.get(URL).status_code == 401
    assert client.delete(f"{URL}/{pk}").status_code == 404
    assert client.get(URL).status_code == 200


@pytest.mark.parametrize("who", ["bob", "adam", "vera"])
def test_another_s_is_not_there(api, alice, who, request):
    """security.md 1: 404, and for admins too: these are personal."""
    api(alice)
    session = alice.sessions.get()

    answer = api(request.getfixturevalue(who)).delete(f"{URL}/{session.pk}")

    assert answer.status_code == 404
    assert Session.objects.filter(pk=session.pk).exists()


def test_what_does_not_exist(api, alice):
    assert api(alice).delete(f"{URL}/{uuid.uuid4()}").status_code == 404
    assert api(alice).delete(f"{URL}/x").status_code == 404


def test_anonymous(api, db):
    assert api().get(URL).status_code == 401
    assert api().delete(URL).status_code == 401
    assert api().delete(f"{URL}/{uuid.uuid4()}").status_code == 401


def test_other_methods(api, alice):
    assert api(alice).post(URL, {}).status_code == 405
    assert api(alice).get(f"{URL}/{uuid.uuid4()}").status_code == 405
