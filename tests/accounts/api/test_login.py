"""POST /api/auth/login."""

import logging
from io import StringIO

import pytest
from django.contrib.auth import hashers
from django.core import mail
from django.core.management import call_command

from accounts.models import Action, AuditEntry, Session, User
from tests.accounts.letters import token_in
from tests.factories import PASSWORD

URL = "/api/auth/login"


def test_gives_a_token(api, alice):
    client = api()
    answer = client.post(URL, {"email": "Alice@EXAMPLE.com", "password": PASSWORD})

    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"token", "user", "expires_at"}
    assert body["user"]["id"] == str(alice.pk)
    assert body["user"]["last_login_at"].endswith("Z")
    client.credentials(HTTP_AUTHORIZATION=f"bearer {body['token']}")
    assert client.get("/api/auth/me").status_code == 200
    assert "sessionid" not in answer.cookies


def test_notes_the_client(api, alice):
    headers = {"User-Agent": "curl/8.0\x01 " + "x" * 400}
    api().post(URL, {"email": alice.email, "password": PASSWORD}, headers=headers)

    session = Session.objects.get()
    assert session.ip == "127.0.0.1"
    assert session.user_agent.startswith("curl/8.0 x")
    assert len(session.user_agent) == 300


def test_refusals_tell_nothing(api, alice, bob, monkeypatch):
    """Unknown, wrong and deactivated look alike, and each costs one hash. Checklist line 7."""
    bob.is_active = False
    bob.save()
    hashed = []
    hasher = hashers.get_hasher()
    encode = type(hasher).encode

    def counting(self, password, salt, *args):
        hashed.append(password)
        return encode(self, password, salt, *args)

    monkeypatch.setattr(type(hasher), "encode", counting)
    answers = []
    for email, password in [
        (alice.email, "wrong password"),
        ("nobody@example.com", PASSWORD),
        (bob.email, PASSWORD),
        ("not an address", PASSWORD),
    ]:
        hashed.clear()
        answer = api().post(URL, {"email": email, "password": password})
        answers.append((answer.status_code, answer.content))
        assert hashed == [password]

    assert {status for status, _ in answers} == {401}
    assert len({body for _, body in answers}) == 1
    assert b"bad_credentials" in answers[0][1]
    assert not Session.objects.exists()


def test_a_failure_is_logged_on_one_line_without_the_password(api, alice, caplog):
    with caplog.at_level(logging.WARNING):
        api().post(URL, {"email": "a@b.c\nforged line", "password": "hunter2hunter2"})

    (record,) = [r for r in caplog.records if r.name == "accounts.flows"]
    assert record.getMessage() == r"Sign-in failed for a@b.c\nforged line from 127.0.0.1"
    assert "hunter2" not in caplog.text


def test_the_limit_is_by_address_and_account(api, alice, bob, limits):
    limits(AUTH="5/m")
    client = api()

    def attempt(email, password="wrong password", address="192.0.2.1"):
        body = {"email": email, "password": password}
        return client.post(URL, body, REMOTE_ADDR=address)

    answers = [attempt(alice.email) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401] * 5
    assert [answer["X-RateLimit-Remaining"] for answer in answers] == ["4", "3", "2", "1", "0"]

    refused = attempt("ALICE@example.com", PASSWORD)
    assert refused.status_code == 429
    assert refused.json()["code"] == "rate_limited"
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert refused["X-RateLimit-Limit"] == "5"
    assert refused["X-RateLimit-Remaining"] == "0"
    assert int(refused["X-RateLimit-Reset"]) > 1_700_000_000

    assert attempt(bob.email, PASSWORD).status_code == 200
    assert attempt(alice.email, PASSWORD, address="192.0.2.2").status_code == 200


def test_the_account_has_a_looser_limit_of_its_own(api, alice, limits):
    limits(AUTH="5/m")
    body = {"email": alice.email, "password": "wrong password"}
    client = api()

    for host in range(20):
        assert client.post(URL, body, REMOTE_ADDR=f"192.0.2.{host}").status_code == 401

    assert client.post(URL, body, REMOTE_ADDR="192.0.2.99").status_code == 429


def test_addresses_that_try_ever_new_accounts_meet_the_limit_of_the_api(api, limits, db):
    limits(AUTH="5/m")
    limits(API="3/m")
    client = api()

    statuses = [
        client.post(URL, {"email": f"u{n}@example.com", "password": "x"}).status_code
        for n in range(4)
    ]

    assert statuses == [401, 401, 401, 429]


def test_nothing_is_hashed_beyond_the_limit(api, alice, limits, monkeypatch):
    """security.md 6."""
    limits(AUTH="1/m")
    body = {"email": alice.email, "password": "wrong password"}
    api().post(URL, body)
    monkeypatch.setattr("accounts.flows.auth.authenticate", lambda *_a, **_k: pytest.fail("hashed"))

    assert api().post(URL, body).status_code == 429


@pytest.mark.parametrize("body", [{"email": 5, "password": 5}, {"email": ["x"]}, {}])
def test_bad_bodies(api, db, limits, body):
    limits(AUTH="5/m")
    assert api().post(URL, body).status_code == 400


def test_unknown_fields_are_refused(api, alice):
    answer = api().post(URL, {"email": alice.email, "password": PASSWORD, "remember": True})

    assert answer.status_code == 400
    assert "remember" in answer.json()["error"]


def test_a_stale_token_does_not_keep_anyone_from_signing_in(api, alice):
    client = api()
    client.credentials(HTTP_AUTHORIZATION="Bearer of.old.news")

    assert client.post(URL, {"email": alice.email, "password": PASSWORD}).status_code == 200


def test_neither_password_nor_token_is_ever_logged(api, alice, caplog):
    """security.md 14."""
    client = api()
    with caplog.at_level(logging.DEBUG):
        token = client.post(URL, {"email": alice.email, "password": PASSWORD}).json()["token"]
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        client.get("/api/auth/me")
        client.post("/api/auth/logout")
        client.get("/api/auth/me")

    assert caplog.records
    for record in caplog.records:
        assert token not in str(record.__dict__)
        assert PASSWORD not in str(record.__dict__)


@pytest.fixture
def strict(settings):
    """Nobody signs in with an address that is not proven."""
    settings.REQUIRE_VERIFIED_EMAIL = True


def test_an_unproven_address_is_told_to_who_knows_the_password(api, alice, strict):
    answer = api().post(URL, {"email": alice.email, "password": PASSWORD})

    assert (answer.status_code, answer.json()["code"]) == (403, "email_unverified")
    assert not Session.objects.exists()
    (sent,) = mail.outbox
    assert api().post("/api/auth/verify", {"token": token_in(sent)}).status_code == 204
    assert api().post(URL, {"email": alice.email, "password": PASSWORD}).status_code == 200


def test_an_unproven_address_is_not_told_to_anybody_else(api, alice, strict):
    """security.md 7: a wrong password says the same of every account."""
    wrong = api().post(URL, {"email": alice.email, "password": "wrong password"})
    unknown = api().post(URL, {"email": "nobody@example.com", "password": "wrong password"})

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.content == unknown.content
    assert mail.outbox == []


def test_a_refusal_is_noted_as_one(api, alice, strict):
    api().post(URL, {"email": alice.email, "password": PASSWORD})

    (entry,) = AuditEntry.objects.all()
    assert (entry.action, entry.data) == (Action.REFUSED, {"code": "email_unverified"})


def test_who_is_signed_in_stays_so(api, alice, strict):
    assert api(alice).get("/api/auth/me").status_code == 200


def test_an_unproven_address_signs_in_where_nothing_is_wanted(api, alice):
    assert api().post(URL, {"email": alice.email, "password": PASSWORD}).status_code == 200
    assert mail.outbox == []


def test_an_admin_of_the_command_line_needs_no_mail(api, db, strict):
    call_command("createadmin", stdout=StringIO())
    admin = User.objects.get()
    admin.set_password(PASSWORD)
    admin.save()

    assert api().post(URL, {"email": admin.email, "password": PASSWORD}).status_code == 200
