"""Mail: composed from templates, sent beside the requests, whatever becomes of the mail server."""

import logging
import socket
import subprocess
import sys
import threading

import pytest
from django.conf import settings as django_settings
from django.core import mail as django_mail
from django.core.mail import EmailMessage
from django.db import transaction
from django.template import engines
from environ import Env

from hummbl import mail, smtp
from tests.processes import PATIENCE
from tests.smtp import dripping_server, smtp_server

CANARY = "https://hummbl.example/reset/confirm?token=canary-of-the-link"
real_send = mail.send


def message(subject="Hello", text=CANARY, to="alice@example.com"):
    return EmailMessage(subject, text, to=[to] if to else [])


@pytest.fixture
def outbox(monkeypatch):
    """An outbox of its own, without a pause; `put` on it is what `send` does."""
    box = mail.Outbox(threads=2, size=3, pause=0)
    monkeypatch.setattr(mail, "_outbox", box)
    monkeypatch.setattr(mail, "send", real_send)
    yield box
    assert box.flush(10)


@pytest.fixture
def use(settings):
    """`use("smtp://…")` is what EMAIL_URL does."""

    def change(url):
        for name, value in Env.email_url_config(url).items():
            setattr(settings, name, value)

    return change


@pytest.fixture
def template(monkeypatch):
    """`template(text)` is what every template is."""

    def change(text):
        found = engines["django"].from_string(text)
        monkeypatch.setattr(mail, "render_to_string", lambda _name, context: found.render(context))

    return change


def test_the_first_line_is_the_subject(template):
    template("Subject: A word\n\nDear {{ who }},\n\nbye\n\n")
    made = mail.compose("x.txt", ["a@example.com"], who="you")
    assert (made.subject, made.body, made.to) == (
        "A word",
        "Dear you,\n\nbye\n",
        ["a@example.com"],
    )
    assert made.content_subtype == "plain"
    assert made.extra_headers["Auto-Submitted"] == "auto-generated"


def test_a_template_without_a_subject_is_a_mistake(template):
    template("Dear you,")
    with pytest.raises(ValueError, match="Subject"):
        mail.compose("x.txt", ["a@example.com"])


@pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n"], ids=["lf", "cr", "crlf"])
def test_no_header_is_injected_by_an_address(template, caplog, line_end):
    template("Subject: x\n\nx")
    to = f"a@example.com{line_end}Bcc: b@example.com"
    mail.deliver(mail.compose("x.txt", [to]))
    assert django_mail.outbox == []
    (record,) = [r for r in caplog.records if r.name == "hummbl.mail"]
    assert "BadHeaderError" in record.getMessage()
    assert line_end not in record.getMessage()


@pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n"], ids=["lf", "cr", "crlf"])
def test_no_header_is_injected_by_what_a_template_shows(template, line_end):
    template("Subject: x {{ name }}\n\nx")
    made = mail.compose("x.txt", ["a@example.com"], name=f"Al{line_end}Bcc: b@example.com")
    mail.deliver(made)
    for sent in django_mail.outbox:
        assert "Bcc" not in sent.message()


def test_is_sent_by_another_thread(outbox, db, monkeypatch):
    threads = []
    monkeypatch.setattr(
        EmailMessage, "send", lambda _self: threads.append(threading.current_thread().name)
    )
    outbox.put(message())
    assert outbox.flush(10)
    assert [name.startswith("mail-") for name in threads] == [True]


@pytest.mark.django_db(transaction=True)
def test_waits_for_the_commit(outbox):
    with transaction.atomic():
        mail.send(message())
        assert outbox.flush(10)
        assert django_mail.outbox == []
    assert outbox.flush(10)
    assert len(django_mail.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_is_forgotten_with_a_rollback(outbox):
    with transaction.atomic():
        mail.send(message())
        transaction.set_rollback(True)
    assert outbox.flush(10)
    assert django_mail.outbox == []


def test_one_without_recipients_goes_nowhere(outbox):
    outbox.put(message(to=""))
    assert outbox.flush(10)
    assert django_mail.outbox == []


def test_a_full_queue_is_logged_and_the_caller_goes_on(outbox, monkeypatch, caplog):
    gate = threading.Event()
    monkeypatch.setattr(EmailMessage, "send", lambda _self: gate.wait(PATIENCE))
    for number in range(8):
        outbox.put(message(f"number {number}"))
    gate.set()
    assert outbox.flush(10)
    said = [r.getMessage() for r in caplog.records if r.name == "hummbl.mail"]
    assert said
    assert all("too many mails are waiting" in each for each in said)
    assert CANARY not in caplog.text


def test_a_flush_ends_at_its_time_out(monkeypatch):
    gate = threading.Event()
    monkeypatch.setattr(EmailMessage, "send", lambda _self: gate.wait(PATIENCE))
    box = mail.Outbox(threads=1, size=3, pause=0)
    box.put(message())
    assert not box.flush(0.05)
    gate.set()
    assert box.flush(10)


def test_a_conversation(outbox, use):
    """EMAIL_URL=smtp://… reaches a real server: sender, recipient, subject, plain text."""
    with smtp_server() as server:
        use(f"smtp://127.0.0.1:{server.port}")
        outbox.put(message("Grüße", f"Über\n{CANARY}\n"))
        assert outbox.flush(10)
    (got,) = server.mails
    assert (got["To"], got["Subject"]) == ("alice@example.com", "Grüße")
    assert got["From"] == django_settings.DEFAULT_FROM_EMAIL
    assert got.get_content_type() == "text/plain"
    assert got.get_content().splitlines() == ["Über", CANARY]
    assert "rcpt TO:<alice@example.com>" in server.heard


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"MAIL": "451 later"}, "SMTPSenderRefused 451"),
        ({"RCPT": "550 nobody"}, "SMTPRecipientsRefused"),
        ({"DATA": f"554 spam: {CANARY} hunter2secret"}, "SMTPDataError 554"),
    ],
    ids=["sender", "recipient", "content"],
)
def test_a_refusal_is_logged_without_the_link(outbox, use, caplog, answers, reason):
    with smtp_server(**answers) as server:
        use(f"smtp://127.0.0.1:{server.port}")
        outbox.put(message())
        assert outbox.flush(10)
    (record,) = [r for r in caplog.records if r.name == "hummbl.mail"]
    assert record.levelno == logging.ERROR
    assert record.getMessage() == (f"Mail 'Hello' to alice@example.com was not sent: {reason}")
    assert "canary" not in caplog.text
    assert "hunter2" not in caplog.text


def test_a_refused_password_is_not_logged(outbox, use, caplog):
    with smtp_server(EHLO="250-test\r\n250 AUTH PLAIN", AUTH="535 wrong") as server:
        use(f"smtp://operator:hunter2secret@127.0.0.1:{server.port}")
        outbox.put(message())
        assert outbox.flush(10)
    assert "SMTPAuthenticationError 535" in caplog.text
    assert "hunter2secret" not in caplog.text
    assert "canary" not in caplog.text


def test_a_dead_server_is_logged_and_the_next_mail_is_sent(outbox, use, caplog):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    use(f"smtp://operator:hunter2secret@127.0.0.1:{port}")
    outbox.put(message())
    assert outbox.flush(10)
    assert "ConnectionRefusedError: Connection refused" in caplog.text
    assert "hunter2secret" not in caplog.text
    with smtp_server() as server:
        use(f"smtp://127.0.0.1:{server.port}")
        outbox.put(message())
        assert outbox.flush(10)
    assert len(server.mails) == 1


def test_a_silent_server_ends_at_the_time_out(outbox, use, settings, caplog):
    settings.EMAIL_TIMEOUT = 0.05
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use(f"smtp://127.0.0.1:{silent.getsockname()[1]}")
        outbox.put(message())
        assert outbox.flush(10)
    assert "SMTPServerDisconnected after TimeoutError" in caplog.text


@pytest.mark.parametrize("scheme", ["smtp", "smtp+tls", "smtp+ssl"])
def test_a_server_that_drips_for_ever_is_cut_off(use, monkeypatch, scheme):
    """A letter now and then keeps its time-out for each read from ever passing."""
    monkeypatch.setattr(smtp, "LIMIT", 0.5)
    with dripping_server() as server:
        use(f"{scheme}://127.0.0.1:{server.port}")
        problem = mail.attempt(message())
        assert problem
        assert server.hung_up.wait(PATIENCE)


def test_a_silent_server_does_not_hold_up_a_request(client, db, outbox, use, settings):
    """The answer comes while the mail server still says nothing."""
    settings.EMAIL_TIMEOUT = 30
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use(f"smtp://127.0.0.1:{silent.getsockname()[1]}")
        mail._outbox.put(message())
        connection, _ = silent.accept()
        assert client.post("/reset", {"email": "nobody@example.com"}).status_code == 302
        assert outbox._queue.unfinished_tasks
        connection.close()
        assert outbox.flush(10)


PROGRAM = """
import django; django.setup()
from django.core.mail import EmailMessage
from hummbl import mail, smtp
mail._outbox.put(EmailMessage("Last word", "text", to=["a@example.com"]))
"""


@pytest.mark.slow
def test_a_process_that_ends_sends_what_waits(tmp_path):
    with smtp_server(pause=0.3) as server:
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=django_settings.BASE_DIR,
            env={
                "DJANGO_SETTINGS_MODULE": "hummbl.settings",
                "DATA_DIR": str(tmp_path / "data"),
                "EMAIL_URL": f"smtp://127.0.0.1:{server.port}",
            },
            check=True,
            timeout=PATIENCE,
        )
    assert [each["Subject"] for each in server.mails] == ["Last word"]
