"""manage.py set_password EMAIL."""

import io
import re

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Action, AuditEntry
from tests.factories import make_token


def run(*arguments):
    out = io.StringIO()
    call_command("set_password", *arguments, stdout=out)
    return out.getvalue()


def test_a_random_password_is_printed_once_and_works(alice, api):
    said = run("Alice@Example.com")
    password = re.search(r"password: (\S+)", said)[1]
    body = {"email": alice.email, "password": password}
    assert api().post("/api/auth/login", body).status_code == 200


def test_a_password_from_standard_input_is_not_printed(alice, api, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("a sentence nobody knows\n"))
    assert "sentence" not in run(alice.email, "--password-stdin")
    body = {"email": alice.email, "password": "a sentence nobody knows"}
    assert api().post("/api/auth/login", body).status_code == 200


def test_everything_ends_and_is_on_record(alice, api):
    client = api(alice)
    make_token(alice)
    run(alice.email)
    assert client.get("/api/auth/me").status_code == 401
    assert not alice.access_tokens.exists()
    entry = AuditEntry.objects.get(action=Action.PASSWORD_CHANGED)
    assert (entry.actor_label, entry.object_id) == ("command line", alice.pk)


def test_a_weak_password_changes_nothing(alice, api, monkeypatch):
    client = api(alice)
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    with pytest.raises(CommandError, match="too short"):
        run(alice.email, "--password-stdin")
    assert client.get("/api/auth/me").status_code == 200


def test_nobody_of_that_address(db):
    with pytest.raises(CommandError, match="There is no user"):
        run("nobody@example.com")


def test_standard_input_without_a_password(alice, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(CommandError, match="holds no password"):
        run(alice.email, "--password-stdin")
