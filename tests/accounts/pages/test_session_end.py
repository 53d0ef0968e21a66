"""/profile/sessions/<id>/end and /profile/sessions/end-others"""

import pytest
from django.test import Client

from accounts.models import Session

OTHERS = "/profile/sessions/end-others"


@pytest.fixture
def session(alice):
    return Session.open(alice, ip=None, user_agent="curl")[0]


def url(session):
    return f"/profile/sessions/{session.pk}/end"


def test_ends_it(client, alice, session):
    client.force_login(alice)
    assert client.post(url(session))["Location"] == "/profile"
    assert not Session.objects.filter(pk=session.pk).exists()
    assert client.get("/profile").status_code == 200


def test_ends_another_browser(client, alice):
    other = Client()
    other.force_login(alice)
    session = alice.sessions.get()
    client.force_login(alice)
    client.post(url(session))
    assert other.get("/profile")["Location"].startswith("/signin")


def test_ends_this_browser_when_asked_to(client, alice):
    client.force_login(alice)
    client.post(url(alice.sessions.get()))
    assert client.get("/profile")["Location"].startswith("/signin")


def test_another_persons_session_is_not_there(client, bob, adam, session):
    # security.md 1.
    for someone in (bob, adam):
        client.force_login(someone)
        assert client.post(url(session)).status_code == 404
    assert Session.objects.filter(pk=session.pk).exists()


def test_strangers_sign_in_first(client, session):
    assert client.post(url(session))["Location"].startswith("/signin")
    assert Session.objects.count() == 1


def test_wrong_method(client, alice, session):
    client.force_login(alice)
    assert client.get(url(session)).status_code == 405


def test_needs_a_csrf_token(alice, session):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert strict.post(url(session)).status_code == 403


def test_ends_all_others(client, alice, bob, session):
    other = Client()
    other.force_login(alice)
    bobs = Session.open(bob, ip=None, user_agent="curl")[0]
    client.force_login(alice)
    response = client.post(OTHERS, follow=True)
    assert "2 other sessions ended." in response.content.decode()
    assert other.get("/profile").status_code == 302
    assert list(Session.objects.exclude(user=alice)) == [bobs]
    assert alice.sessions.count() == 1


def test_all_others_may_be_none(client, alice):
    client.force_login(alice)
    assert "0 other sessions ended." in client.post(OTHERS, follow=True).content.decode()


def test_all_others_is_for_the_signed_in_by_post_with_a_token(client, alice, session):
    assert client.post(OTHERS)["Location"].startswith("/signin")
    client.force_login(alice)
    assert client.get(OTHERS).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert strict.post(OTHERS).status_code == 403
    assert Session.objects.filter(pk=session.pk).exists()
