"""POST /api/auth/logout."""

from django.test import Client

from accounts.models import Session

URL = "/api/auth/logout"


def test_ends_the_session_at_once(api, alice):
    client, other = api(alice), api(alice)

    assert client.post(URL).status_code == 204

    assert client.get("/api/auth/me").status_code == 401
    assert client.post(URL).status_code == 401
    assert other.get("/api/auth/me").status_code == 200
    assert Session.objects.count() == 1


def test_ends_a_browser_s_session(alice):
    browser = Client()
    browser.force_login(alice)
    session_id = browser.cookies["sessionid"].value

    assert browser.post(URL).status_code == 204

    browser.cookies["sessionid"] = session_id
    assert browser.get("/api/auth/me").status_code == 401


def test_a_browser_needs_the_csrf_token(alice):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)

    assert browser.post(URL).status_code == 403
    assert browser.get("/api/auth/me").status_code == 200


def test_anonymous(api, db):
    assert api().post(URL).status_code == 401


def test_other_methods(api, alice):
    assert api(alice).get(URL).status_code == 405
