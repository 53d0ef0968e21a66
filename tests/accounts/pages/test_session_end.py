"""/profile/sessions/<id>/end"""

import pytest
from django.test import Client

from accounts.models import Session


@pytest.fixture
def session(alice):
    return Session.open(alice, ip=None, user_agent="curl")[0]


def url(session):
    return f"/profile/sessions/{session.pk}/end"


def test_ends_it(client, alice, session):
    client.force_login(alice)
    assert client.post(url(session))["Location"] == "/profile"
    assert not Session.objects.exists()


def test_another_persons_session_is_not_there(client, bob, adam, session):
    # Security checklist line 1.
    for someone in (bob, adam):
        client.force_login(someone)
        assert client.post(url(session)).status_code == 404
    assert Session.objects.count() == 1


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
