"""POST /api/auth/verify and /api/auth/verify/send."""

import pytest
from django.core import mail

from accounts import links
from accounts.models import Action, AuditEntry
from tests.accounts.letters import letter, token_in
from tests.factories import make_token

URL = "/api/auth/verify"
SEND = "/api/auth/verify/send"


def test_verifies(api, alice, clock):
    answer = api().post(URL, {"token": links.verification.token(alice)})
    assert (answer.status_code, answer.content) == (204, b"")
    alice.refresh_from_db()
    assert alice.email_verified_at == clock.now
    (entry,) = AuditEntry.objects.filter(action=Action.EMAIL_VERIFIED)
    assert (entry.actor_id, entry.object_id, entry.data) == (alice.pk, alice.pk, {})


def test_once(api, alice):
    token = links.verification.token(alice)
    api().post(URL, {"token": token})
    answer = api().post(URL, {"token": token})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_link")


def test_a_day_long(api, alice, clock):
    token = links.verification.token(alice)
    clock.advance(24 * 3600 + 1)
    assert api().post(URL, {"token": token}).json()["code"] == "invalid_link"


@pytest.mark.parametrize("token", ["", "x", "é"], ids=["empty", "x", "accent"])
def test_any_other_text_is_an_invalid_link(api, alice, token):
    answer = api().post(URL, {"token": token})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_link")


def test_a_reset_link_verifies_nothing(api, alice):
    assert api().post(URL, {"token": links.reset.token(alice)}).json()["code"] == "invalid_link"


def test_is_limited_by_address(api, alice, limits):
    limits(AUTH="1/m")
    client = api()
    assert [client.post(URL, {"token": "x"}).status_code for _ in range(2)] == [400, 429]


def test_sends_a_new_link(api, alice):
    answer = api(alice).post(SEND)
    assert answer.status_code == 202
    assert "alice@example.com" in answer.json()["message"]
    (sent,) = mail.outbox
    assert sent.to == ["alice@example.com"]
    assert api().post(URL, {"token": token_in(letter())}).status_code == 204


def test_there_is_nothing_to_send_when_it_is_verified(api, alice, clock):
    alice.email_verified_at = clock.now
    alice.save()
    answer = api(alice).post(SEND)
    assert (answer.status_code, answer.json()["code"]) == (409, "already_verified")
    assert mail.outbox == []


def test_sending_is_limited(api, alice, limits):
    limits(AUTH="1/m")
    client = api(alice)
    assert [client.post(SEND).status_code for _ in range(2)] == [202, 429]


def test_nobody_fills_a_mailbox(api, alice, limits):
    limits(MAIL="1/h")
    assert [api(alice).post(SEND).status_code for _ in range(3)] == [202] * 3
    assert len(mail.outbox) == 1


def test_an_access_token_sends_nothing(api, alice):
    _, secret = make_token(alice, "read", "write")
    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    answer = client.post(SEND)
    assert (answer.status_code, answer.json()["code"]) == (403, "token_not_allowed")


def test_strangers_cannot_ask_for_one(api, db):
    assert api().post(SEND).status_code == 401


def test_other_methods(api, alice):
    assert api().get(URL).status_code == 405
    assert api(alice).get(SEND).status_code == 405
