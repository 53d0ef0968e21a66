"""manage.py createadmin."""

import io
import re

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEntry, User

pytestmark = pytest.mark.django_db


def run(**options):
    out = io.StringIO()
    call_command("createadmin", stdout=out, **options)
    return out.getvalue()


def test_prints_a_password_that_works_and_is_kept_nowhere():
    said = run()

    admin = User.objects.get()
    password = re.search(r"password: (\S+)", said)[1]
    assert len(password) >= 20
    assert admin.check_password(password)
    assert (admin.email, admin.role, admin.is_staff, admin.is_superuser) == (
        "admin@example.com",
        "admin",
        True,
        True,
    )
    assert "admin@example.com" in said
    assert admin.email_verified
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_id) == ("user.created", admin.pk)


def test_two_runs_make_two_passwords():
    first = run(email="one@example.com")
    second = run(email="two@example.com")

    assert first.split()[-8:] != second.split()[:-8]
    assert User.objects.filter(role="admin").count() == 2


def test_does_nothing_when_there_is_one(adam):
    assert run(if_missing=True) == ""
    assert User.objects.count() == 1


def test_an_inactive_admin_is_none(adam):
    adam.is_active = False
    adam.save()

    assert "admin@example.com" in run(if_missing=True)


def test_users_are_none(alice):
    assert "Administrator made" in run(if_missing=True)


def test_a_password_from_standard_input_is_not_printed(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("from the vault 42\n"))

    said = run(email="Ops@Example.com", password_stdin=True)

    assert "vault" not in said
    assert User.objects.get(email="ops@example.com").check_password("from the vault 42")


@pytest.mark.parametrize("given", ["", "short\n", "password\n"])
def test_bad_passwords(monkeypatch, given):
    monkeypatch.setattr("sys.stdin", io.StringIO(given))

    with pytest.raises(CommandError):
        run(password_stdin=True)
    assert not User.objects.exists()


def test_a_taken_address(alice):
    with pytest.raises(CommandError, match="already"):
        run(email="ALICE@example.com")

    alice.refresh_from_db()
    assert alice.role == "user"


def test_not_an_address():
    with pytest.raises(CommandError, match="valid email"):
        run(email="admin")
