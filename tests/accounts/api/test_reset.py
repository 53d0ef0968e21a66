"""POST /api/auth/reset."""

import logging

import pytest
from django.core import mail

from accounts.models import Action, AuditEntry
from tests.accounts.letters import letter, link_in

URL = "/api/auth/reset"
CONFIRM = "/api/auth/reset/confirm"


def ask(client, email, **extra):
    return client.post(URL, {"email": email}, **extra)


def test_sends_a_link(api, alice):
    answer = ask(api(), " ALICE@example.com ")

    assert answer.status_code == 202
    (sent,) = mail.outbox
    assert sent.to == ["alice@example.com"]
    assert sent.subject == "Reset your HUMMBL password"
    assert link_in(sent).startswith("http://testserver/reset/confirm?token=")
    assert "1 hour." in sent.body
    assert "Alice" not in sent.body


@pytest.fixture
def gone(bob):
    """A deactivated user."""
    bob.is_active = False
    bob.save()
    return bob


@pytest.mark.parametrize(
    "email",
    [
        "nobody@example.com",
        "bob@example.com",
        "nonsense",
        "alice@example.com, eve@evil.example",
        "alice@example.com\nBcc: eve@evil.example",
        "alıce@example.com",
    ],
    ids=["unknown", "deactivated", "no-address", "two", "header", "look-alike"],
)
def test_says_the_same_of_every_address(api, alice, gone, email):
    """security.md 7: body and status are those of an address that has an account."""
    known = ask(api(), alice.email)
    mail.outbox.clear()

    answer = ask(api(), email)

    assert (answer.status_code, answer.content) == (known.status_code, known.content)
    assert set(answer.headers) == set(known.headers)
    assert mail.outbox == []


def test_does_the_same_work_for_every_address(api, alice, gone, monkeypatch):
    """security.md 7: the same queries, one composed mail and one signed token, whoever it is."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from accounts import links
    from hummbl import mail as sending

    handed_over = []
    monkeypatch.setattr(sending, "send", handed_over.append)
    signed = []
    make = links.ResetLinks.make_token
    monkeypatch.setattr(
        links.ResetLinks, "make_token", lambda self, user: signed.append(user) or make(self, user)
    )
    work = []
    for email in (alice.email, gone.email, "nobody@example.com"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            ask(api(), email)
        work.append([query["sql"].split()[0] for query in queries])
    assert work[0] == work[1] == work[2]
    assert len(handed_over) == len(signed) == 3
    assert [message.to for message in handed_over] == [["alice@example.com"], [], []]


def test_goes_to_the_address_of_the_account(api, alice):
    ask(api(), "ALICE@EXAMPLE.COM")
    assert letter().to == ["alice@example.com"]


def test_is_noted_for_known_and_unknown_alike(api, alice):
    ask(api(), alice.email)
    ask(api(), "nobody@example.com")
    entries = AuditEntry.objects.filter(action=Action.PASSWORD_RESET_ASKED).order_by("id")
    assert [(entry.object_id, entry.object_label) for entry in entries] == [
        (alice.pk, "alice@example.com"),
        (None, "nobody@example.com"),
    ]
    assert [entry.actor_id for entry in entries] == [None, None]


def test_a_forged_host_is_refused_and_reaches_no_mail(api, alice):
    """security.md 7: the link leads to a host of ALLOWED_HOSTS or there is no mail."""
    answer = ask(api(), alice.email, HTTP_HOST="evil.example")
    assert answer.status_code == 400
    answer = ask(api(), alice.email, HTTP_X_FORWARDED_HOST="evil.example")
    assert answer.status_code == 202
    assert len(mail.outbox) == 1
    assert "evil" not in mail.outbox[0].message().as_string()


def test_is_limited_by_address_and_account(api, alice, limits):
    limits(AUTH="2/m")
    client = api()
    answers = [ask(client, alice.email) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert "Retry-After" in answers[2]
    unknown = [ask(client, "nobody@example.com").status_code for _ in range(3)]
    assert unknown == [202, 202, 429]


def test_nobody_fills_a_mailbox(api, alice, limits):
    """Beyond RATE_LIMIT_MAIL the answer stays the same, and no mail is sent."""
    limits(MAIL="2/h")
    answers = [ask(api(), alice.email) for _ in range(4)]
    assert {(answer.status_code, answer.content) for answer in answers} == {
        (202, answers[0].content)
    }
    assert len(mail.outbox) == 2


def test_the_link_is_in_no_log(api, alice, caplog):
    """The canary: neither what asks for a link nor what uses it writes the token anywhere."""
    from tests.accounts.letters import token_in

    with caplog.at_level(logging.DEBUG):
        ask(api(), alice.email)
        token = token_in(letter())
        api().get(f"/reset/confirm?token={token}")
        api().post(CONFIRM, {"token": token, "new_password": "an entirely new phrase"})
        api().post(CONFIRM, {"token": token, "new_password": "an entirely new phrase"})
    assert caplog.records
    signed = token.partition("-")[2]
    for record in caplog.records:
        if record.name == "django.db.backends":
            continue
        assert signed not in f"{record.getMessage()} {record.exc_info} {record.args}"
    for entry in AuditEntry.objects.all():
        assert signed not in f"{entry.data} {entry.object_label} {entry.actor_label}"


@pytest.mark.parametrize(
    "body",
    [{}, {"email": 5}, {"email": None}, {"email": "x" * 255}, {"email": "a@b.c", "role": "admin"}],
    ids=["missing", "number", "null", "long", "unknown-field"],
)
def test_bad_bodies(api, db, body):
    assert api().post(URL, body).status_code == 400


def test_other_methods(api, db):
    assert api().get(URL).status_code == 405
