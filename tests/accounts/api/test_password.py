"""POST /api/auth/password."""

import pytest
from django.core import mail
from django.test import Client

from accounts.models import Session
from tests.factories import PASSWORD

URL = "/api/auth/password"
NEW = "an entirely new phrase"
BODY = {"current_password": PASSWORD, "new_password": NEW}


def test_changes_it_and_ends_the_other_sessions(api, alice, bob):
    client, other, stranger = api(alice), api(alice), api(bob)
    browser = Client()
    browser.force_login(alice)

    answer = client.post(URL, BODY)

    assert answer.status_code == 204
    assert "sessionid" not in answer.cookies
    alice.refresh_from_db()
    assert alice.check_password(NEW)
    assert client.get("/api/auth/me").status_code == 200
    assert other.get("/api/auth/me").status_code == 401
    assert browser.get("/api/auth/me").status_code == 401
    assert stranger.get("/api/auth/me").status_code == 200
    assert Session.objects.filter(user=alice).count() == 1


def test_a_browser_stays_signed_in_and_everything_else_ends(api, alice):
    bearer, browser, other = api(alice), Client(), Client()
    browser.force_login(alice)
    other.force_login(alice)

    answer = browser.post(URL, BODY, content_type="application/json")

    assert answer.status_code == 204
    assert browser.get("/api/auth/me").status_code == 200
    assert other.get("/api/auth/me").status_code == 401
    assert bearer.get("/api/auth/me").status_code == 401


def test_the_current_password_is_asked_for(api, alice):
    answer = api(alice).post(URL, {**BODY, "current_password": "wrong password"})

    assert answer.status_code == 400
    assert answer.json()["code"] == "wrong_password"
    assert answer.json()["details"]["errors"][0]["path"] == "current_password"
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


@pytest.mark.parametrize("new", ["short", "alice@example.com", "password123", "1234567890"])
def test_a_weak_one_is_refused(api, alice, new):
    other = api(alice)

    answer = api(alice).post(URL, {**BODY, "new_password": new})

    assert answer.status_code == 400
    assert answer.json()["code"] == "weak_password"
    assert answer.json()["details"]["errors"][0]["path"] == "new_password"
    assert other.get("/api/auth/me").status_code == 200


def test_missing_and_unknown_fields(api, alice):
    assert api(alice).post(URL, {}).status_code == 400
    assert api(alice).post(URL, {**BODY, "email": "x@example.com"}).status_code == 400


def test_anonymous(api, db):
    assert api().post(URL, BODY).status_code == 401


def test_the_limit(api, alice, bob, limits):
    limits(AUTH="5/m")
    client, wrong = api(alice), {**BODY, "current_password": "wrong password"}

    statuses = [client.post(URL, wrong).status_code for _ in range(6)]

    assert statuses == [400] * 5 + [429]
    assert api(bob).post(URL, BODY).status_code == 204


def test_tells_the_owner_by_mail(api, alice):
    api(alice).post(URL, BODY)

    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["alice@example.com"], "Your HUMMBL password was changed")
