"""`POST /api/auth/reauthenticate`"""

from datetime import timedelta

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import AccessToken, AuditEntry
from tests.factories import PASSWORD

URL = "/api/auth/reauthenticate"
TOKENS = "/api/auth/tokens"
AGE = 15 * 60


@pytest.fixture
def old(api, alice, clock):
    """A program of hers that signed in fifteen minutes ago."""
    client = api(alice)
    clock.advance(AGE)
    return client


@pytest.fixture
def token(clock):
    return {
        "name": "ci",
        "scopes": ["read"],
        "expires_at": (clock.now + timedelta(days=1)).isoformat(),
    }


def actions(user):
    return list(AuditEntry.objects.filter(actor_id=user.pk).values_list("action", flat=True))


def test_makes_a_sign_in_recent(old, alice, clock, token):
    """security.md 10."""
    refused = old.post(TOKENS, token)
    assert refused.status_code == 403
    assert refused.json()["code"] == "reauthentication_required"
    assert URL in refused.json()["error"]

    assert old.post(URL, {"password": PASSWORD}).status_code == 204
    assert alice.sessions.get().authenticated_at == clock.now
    assert old.post(TOKENS, token).status_code == 201
    assert "user.reauthenticated" in actions(alice)


def test_fifteen_minutes_to_the_second(api, alice, clock, token):
    """security.md 10."""
    client = api(alice)
    clock.advance(AGE - 1)
    assert client.post(TOKENS, token).status_code == 201
    clock.advance(1)
    assert client.post(TOKENS, token | {"name": "other"}).status_code == 403


def test_a_wrong_password(old, alice, token):
    answer = old.post(URL, {"password": "wrong"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "wrong_password"
    assert answer.json()["details"]["errors"][0]["path"] == "password"
    assert actions(alice) == ["user.sign_in_failed"]
    assert old.post(TOKENS, token).status_code == 403


@pytest.mark.parametrize(
    "body",
    [{}, {"password": ""}, {"password": "x" * 1001}, {"password": 1}, {"password": "x", "a": 1}],
    ids=["nothing", "empty", "too long", "number", "unknown field"],
)
def test_bad_input(old, body):
    assert old.post(URL, body).status_code == 400


def test_an_access_token_is_refused(alice, clock):
    _, secret = AccessToken.issue(
        alice, name="all", scopes=["read", "run", "write"], expires_at=clock.now + timedelta(days=1)
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    answer = client.post(URL, {"password": PASSWORD})
    assert answer.status_code == 403
    assert answer.json()["code"] == "token_not_allowed"
    assert "user.reauthenticated" not in actions(alice)


def test_a_browser_gets_another_key(alice, clock, token):
    """security.md 9."""
    browser = Client()
    browser.force_login(alice)
    before = browser.cookies["sessionid"].value
    clock.advance(AGE)
    assert browser.post(TOKENS, token, content_type="application/json").status_code == 403

    browser.post(URL, {"password": PASSWORD}, content_type="application/json")

    assert browser.cookies["sessionid"].value != before
    assert browser.post(TOKENS, token, content_type="application/json").status_code == 201


def test_only_this_session_becomes_recent(old, api, alice, clock, token):
    other = api(alice)
    clock.advance(AGE)
    old.post(URL, {"password": PASSWORD})
    assert other.post(TOKENS, token).status_code == 403


def test_attempts_are_limited(old, limits, alice):
    limits(AUTH="2/m")
    for _ in range(2):
        assert old.post(URL, {"password": "wrong"}).status_code == 400
    answer = old.post(URL, {"password": PASSWORD})
    assert answer.status_code == 429
    assert answer["X-RateLimit-Limit"] == "2"
    assert answer["X-RateLimit-Remaining"] == "0"
    assert int(answer["Retry-After"]) > 0


def test_anonymous(db):
    assert APIClient().post(URL, {"password": PASSWORD}).status_code == 401


def test_wrong_method(old):
    assert old.get(URL).status_code == 405
