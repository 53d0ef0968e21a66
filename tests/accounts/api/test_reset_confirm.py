"""POST /api/auth/reset/confirm."""

import pytest
from django.core import mail

from accounts import links
from accounts.models import AccessToken, Action, AuditEntry, Session
from tests.accounts.letters import link_in
from tests.factories import PASSWORD, make_token

URL = "/api/auth/reset/confirm"
NEW = "an entirely new phrase"


def confirm(client, token, password=NEW):
    return client.post(URL, {"token": token, "new_password": password})


@pytest.fixture
def token(alice):
    return links.reset.token(alice)


def test_sets_the_password_and_signs_nobody_in(api, alice, token):
    answer = confirm(api(), token)

    assert (answer.status_code, answer.content) == (204, b"")
    alice.refresh_from_db()
    assert alice.check_password(NEW)
    assert not Session.objects.exists()


def test_ends_every_session_and_access_token(api, client, alice, bob):
    """security.md 8: whoever was in with the old password is out at once."""
    client.force_login(alice)
    program, other = api(alice), api(bob)
    make_token(alice)
    make_token(bob)
    assert confirm(api(), links.reset.token(alice)).status_code == 204
    assert program.get("/api/auth/me").status_code == 401
    assert client.get("/profile").status_code == 302
    assert other.get("/api/auth/me").status_code == 200
    assert [each.user for each in AccessToken.objects.all()] == [bob]


def test_proves_the_address(api, alice, token, clock):
    confirm(api(), links.reset.token(alice))
    alice.refresh_from_db()
    assert alice.email_verified_at == clock.now


def test_keeps_when_it_was_proven_first(api, alice, clock):
    alice.email_verified_at = clock.now
    alice.save()
    clock.advance(60)
    confirm(api(), links.reset.token(alice))
    alice.refresh_from_db()
    assert alice.email_verified_at == clock.now.replace(minute=30)
    assert not AuditEntry.objects.filter(action=Action.EMAIL_VERIFIED).exists()


def test_tells_the_owner(api, alice, token):
    confirm(api(), token)
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["alice@example.com"], "Your HUMMBL password was changed")
    assert link_in(sent) == "http://testserver/reset"
    assert "token" not in link_in(sent)


def test_is_noted(api, alice, token):
    confirm(api(), token)
    entries = {entry.action: entry for entry in AuditEntry.objects.all()}
    assert set(entries) == {Action.PASSWORD_RESET, Action.EMAIL_VERIFIED}
    assert entries[Action.PASSWORD_RESET].actor_id == alice.pk
    assert entries[Action.PASSWORD_RESET].object_id == alice.pk
    assert entries[Action.PASSWORD_RESET].data == {}


def test_once(api, alice, token):
    confirm(api(), token)
    answer = confirm(api(), token, "yet another new phrase")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_link")
    alice.refresh_from_db()
    assert alice.check_password(NEW)


def test_not_after_an_hour(api, alice, clock):
    token = links.reset.token(alice)
    clock.advance(3601)
    answer = confirm(api(), token)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_link")
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


@pytest.mark.parametrize(
    "token",
    ["", " ", "x", "a.b-c", "é" * 50, "0" * 100_000, "A" * 22 + ".1-" + "0" * 32],
    ids=["empty", "space", "x", "form", "accents", "long", "nobody"],
)
def test_any_other_text_is_an_invalid_link(api, alice, token):
    answer = confirm(api(), token)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_link")


def test_a_verification_link_sets_no_password(api, alice):
    answer = confirm(api(), links.verification.token(alice))
    assert answer.json()["code"] == "invalid_link"


def test_a_weak_password_is_said_at_its_field_and_spends_nothing(api, alice, token):
    answer = confirm(api(), token, "password")
    assert (answer.status_code, answer.json()["code"]) == (400, "weak_password")
    assert answer.json()["details"]["errors"][0]["path"] == "new_password"
    assert confirm(api(), token).status_code == 204


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"new_password": NEW}, "token"),
        ({"token": "x"}, "new_password"),
        ({"token": 5, "new_password": NEW}, "token"),
        ({"token": None, "new_password": NEW}, "token"),
        ({"token": "x", "new_password": NEW, "user": "1"}, "user"),
    ],
    ids=["no-token", "no-password", "number", "null", "unknown-field"],
)
def test_bad_bodies(api, db, body, path):
    answer = api().post(URL, body)
    assert answer.status_code == 400
    assert answer.json()["details"]["errors"][0]["path"] == path


def test_is_limited_by_address(api, alice, limits):
    limits(AUTH="2/m")
    client = api()
    assert [confirm(client, "x").status_code for _ in range(3)] == [400, 400, 429]
    assert client.post(URL, {"token": "x"}, REMOTE_ADDR="192.0.2.9").status_code == 400


def test_other_methods(api, db):
    assert api().get(URL).status_code == 405
