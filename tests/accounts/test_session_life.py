"""When sessions of browsers and programs end, to the second of a clock that stands still."""

import json
from datetime import timedelta

import pytest
from django.test import Client

from accounts import flows, users
from accounts.errors import BadCredentials
from accounts.models import AccessToken, Session, User
from tests.factories import PASSWORD

ME = "/api/auth/me"
HOUR = 3600


@pytest.fixture(params=["browser", "program"])
def client(request, alice, api, clock):
    """Something that is signed in as her."""
    if request.param == "program":
        return api(alice)
    browser = Client()
    browser.post("/signin", {"email": alice.email, "password": PASSWORD})
    return browser


def is_in(client):
    return client.get(ME).status_code == 200


def test_the_absolute_end(client, clock, settings):
    """security.md 8: however much it is used."""
    for _ in range(7):
        assert is_in(client)
        clock.advance(24 * HOUR - 1)
    clock.advance(6)
    assert is_in(client)
    clock.advance(1)
    assert not is_in(client)


def test_unused_for_long_enough(client, clock, settings):
    """security.md 8."""
    settings.SESSION_IDLE_TTL = HOUR
    clock.advance(HOUR - 1)
    assert is_in(client)
    clock.advance(HOUR - 1)
    assert is_in(client)
    clock.advance(HOUR)
    assert not is_in(client)
    assert not is_in(client)


def test_use_is_known_to_the_minute(client, clock, settings):
    """security.md 8: written once a minute, a use prolongs a session by a minute less at most."""
    settings.SESSION_IDLE_TTL = HOUR
    clock.advance(59)
    assert is_in(client)  # not written
    clock.advance(HOUR - 59)
    assert not is_in(client)


def test_use_is_written_after_a_minute(client, clock, settings):
    """security.md 8."""
    settings.SESSION_IDLE_TTL = HOUR
    clock.advance(60)
    assert is_in(client)
    clock.advance(HOUR - 1)
    assert is_in(client)


def test_idleness_is_no_matter_unless_it_is_set(client, clock):
    clock.advance(6 * 24 * HOUR)
    assert is_in(client)


def test_giving_the_password_again_does_not_prolong_it(client, alice, clock):
    """security.md 8."""
    ends = alice.sessions.get().expires_at
    clock.advance(6 * 24 * HOUR)
    given = json.dumps({"password": PASSWORD})
    again = client.generic("POST", "/api/auth/reauthenticate", given, "application/json")
    assert again.status_code == 204
    assert alice.sessions.get().expires_at == ends
    clock.advance(24 * HOUR)
    assert not is_in(client)


def test_a_new_password_ends_everything_else(client, alice, api, clock):
    """security.md 8: sessions and access tokens alike."""
    until = clock.now + timedelta(days=1)
    _, secret = AccessToken.issue(alice, name="ci", scopes=["read"], expires_at=until)
    assert AccessToken.from_secret(secret)

    flows.change_password(
        alice,
        current=PASSWORD,
        new="staple battery horse",
        keep=None,
        request=client.get(ME).wsgi_request,
    )

    assert not is_in(client)
    assert AccessToken.from_secret(secret) is None
    assert not Session.objects.exists()


def test_a_deactivation_ends_everything(client, alice, clock):
    """security.md 8: at once; the sessions for good, the tokens until she is let in again."""
    until = clock.now + timedelta(days=1)
    _, secret = AccessToken.issue(alice, name="ci", scopes=["read"], expires_at=until)

    users.deactivate(alice, by=None)
    assert not is_in(client)
    assert AccessToken.from_secret(secret) is None

    users.activate(alice, by=None)
    assert not is_in(client)
    assert AccessToken.from_secret(secret)


def test_a_sign_in_that_was_under_way_when_the_password_changed(alice, rf):
    """security.md 8: the old password was right a moment ago, and opens nothing any more."""
    checked = User.objects.get(pk=alice.pk)
    flows.set_password(alice, "staple battery horse", by=alice)
    with pytest.raises(BadCredentials):
        flows.open_session(rf.post("/api/auth/login"), checked)
    assert not Session.objects.exists()
