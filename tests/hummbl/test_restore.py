"""`manage.py restore`: all of a backup or nothing, and only where nobody is hurt."""

import io
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.utils import InternalError
from django.utils import timezone

from accounts.models import AuditEntry, Session, User
from hummbl.backup import restoring
from tests.factories import PASSWORD, make_execution, make_key, make_user, make_workflow
from tests.hummbl.archives import (
    backup,
    change_manifest,
    manifest,
    members,
    restore,
    rewrite,
    rows,
)
from tests.processes import database_url
from workflows.models import ApiKey, Execution, Worker, Workflow

pytestmark = pytest.mark.django_db(transaction=True)

# What a restore adds, or leaves out on purpose.
LEASES = {"lease_owner", "lease_token", "lease_expires_at"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "backup.zip"


@pytest.fixture
def full(alice, adam, path):
    """A backup of a database with some of everything, which is as it was then."""
    make_key(alice, secret="sk-of-alice-0123456789")
    workflow = make_workflow(alice, name="Ünïcode “quotes” \\ 🙂")
    make_execution(workflow)
    make_execution(workflow).cancel(by=alice)
    backup(path)
    return path


def compared(path) -> dict[str, list]:
    """The rows of an archive by table, without what differs after a restore."""
    found = {name: rows(path, name) for name in manifest(path)["tables"]}
    for row in found["workflows.execution"]:
        for name in LEASES:
            del row[name]
    found["accounts.auditentry"] = [
        row for row in found["accounts.auditentry"] if not row["action"].startswith("database.")
    ]
    return found


def test_every_row_is_as_it_was(full, elsewhere, tmp_path, api):
    with elsewhere():
        said = restore(full)

        again = tmp_path / "again.zip"
        backup(again)
        assert compared(again) == compared(full)
        assert ApiKey.objects.get().credential().secret == "sk-of-alice-0123456789"
        login = {"email": "alice@example.com", "password": PASSWORD}
        assert api().post("/api/auth/login", login).status_code == 200
        entry = AuditEntry.objects.get(action="database.restored")
        assert (entry.actor_label, entry.data["rows"]) == ("command line", _rows(full))
        # Nothing is left for `migrate` to do.
        call_command("migrate", check_unapplied=True, verbosity=0)
    assert "Restored: " in said
    assert list(full.parent.glob(".*")) == []


def _rows(path) -> int:
    return sum(table["rows"] for table in manifest(path)["tables"].values())


def test_a_new_installation_is_nothing_to_keep(full, elsewhere, api):
    """With its first account, who has signed in: then a second one is somebody's."""
    with elsewhere():
        call_command("migrate", verbosity=0)
        call_command("createadmin", email="new@example.com", stdout=io.StringIO())
        Session.open(User.objects.get(), ip="::1", user_agent="x")
        make_user("second@example.com")
        with pytest.raises(CommandError, match="not empty"):
            restore(full)
        User.objects.filter(email="second@example.com").delete()
        restore(full)
        assert not User.objects.filter(email="new@example.com").exists()
        assert Workflow.objects.exists()


def test_rows_that_are_there_are_replaced_when_told_to(full, bob, api):
    Execution.objects.update(lease_token=1000, lease_owner="somebody")
    api(bob)
    with pytest.raises(CommandError, match=r"This database is not empty.*--replace"):
        restore(full)
    assert User.objects.filter(pk=bob.pk).exists()

    restore(full, replace=True)

    assert not User.objects.filter(pk=bob.pk).exists()
    assert Workflow.objects.get().name == "Ünïcode “quotes” \\ 🙂"
    # Who was signed in is not: a session that has ended must not come back.
    assert not Session.objects.exists()
    # A worker of another time may have claimed it more often since the backup was made.
    execution = Execution.objects.under_way().get()
    assert execution.lease_token > 1000
    assert (execution.lease_owner, execution.lease_expires_at) == ("", None)


def test_new_rows_get_new_numbers(full):
    """PostgreSQL counts keys beside the table."""
    restore(full, replace=True)
    first = Group.objects.create(name="first")
    backup(full, force=True)
    restore(full, replace=True)
    assert Group.objects.create(name="second").pk > first.pk


def test_the_audit_log_is_append_only_afterwards(full):
    restore(full, replace=True)
    with (
        pytest.raises((IntegrityError, InternalError), match="The audit log is only added to"),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE accounts_auditentry SET action = 'other'")


def test_a_backup_of_an_older_schema_is_migrated(alice, elsewhere, path):
    with elsewhere():
        call_command("migrate", "workflows", "0001", verbosity=0)
        call_command("migrate", "accounts", verbosity=0)
        old = (
            MigrationLoader(connection)
            .project_state(
                [("workflows", "0001_workflows_executions_and_ledger")],
            )
            .apps
        )
        owner = make_user("old@example.com")
        workflow = old.get_model("workflows.Workflow").objects.create(
            owner_id=owner.pk, name="Old one"
        )
        version = old.get_model("workflows.WorkflowVersion").objects.create(
            workflow=workflow, number=1, definition={}
        )
        old.get_model("workflows.Execution").objects.create(
            workflow=workflow, version=version, user_id=owner.pk, task_count=1
        )
        backup(path)

    restore(path, replace=True)

    call_command("migrate", check_unapplied=True, verbosity=0)
    execution = Execution.objects.select_related("workflow", "user").get()
    assert (execution.workflow.name, execution.user.email) == ("Old one", "old@example.com")
    assert execution.definition is None
    make_execution(make_workflow(make_user("new@example.com")))


def test_rows_that_the_database_refuses_change_nothing(full, bob):
    """Such as those of an archive that somebody made by hand."""

    def change(found):
        name = "tables/workflows.workflowversion.jsonl"
        found[name] = b""
        tables = manifest(full)["tables"]
        empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        tables["workflows.workflowversion"] |= {"rows": 0, "sha256": empty}
        changed.update(tables=tables)

    changed = {}
    rewrite(full, change)
    change_manifest(full, **changed)
    restore(full, check=True)

    with pytest.raises(CommandError, match="The database refused the rows, and is as it was"):
        restore(full, replace=True)

    assert User.objects.filter(pk=bob.pk).exists()
    assert Workflow.objects.get().current_version is not None


def test_check_says_what_is_in_it_and_touches_nothing(full, bob, settings):
    settings.ENCRYPTION_KEYS = ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]
    said = restore(full, check=True)
    assert f"Whole: {len(manifest(full)['tables'])} tables, {_rows(full):,} rows" in said
    assert "1 provider key in it cannot be read here: encryption key " in said
    assert User.objects.filter(pk=bob.pk).exists()
    assert not AuditEntry.objects.filter(action="database.restored").exists()


def test_beside_a_worker_it_is_refused_unless_forced(full):
    Worker.objects.create(name="busy", version="1", seen_at=timezone.now())
    with pytest.raises(CommandError, match=r"1 worker is running.*--force"):
        restore(full, replace=True)
    assert Worker.objects.exists()

    restore(full, replace=True, force=True)
    assert not Worker.objects.exists()


@contextmanager
def in_use():
    """Another process is in the middle of something."""
    if connection.vendor == "postgresql":
        with psycopg.connect(database_url()) as other:
            other.execute("SELECT count(*) FROM accounts_user")
            yield
        return
    name = connection.settings_dict["NAME"]
    with closing(sqlite3.connect(name, isolation_level=None)) as other:
        other.execute("SELECT count(*) FROM accounts_user").fetchall()
        yield


def test_a_database_in_use_is_left_alone(full, bob, monkeypatch):
    monkeypatch.setattr(restoring, "LOCK_TIMEOUT", "200ms")
    with in_use(), pytest.raises(CommandError, match=r"in use\. Stop web and workers"):
        restore(full, replace=True, force=True)
    assert User.objects.filter(pk=bob.pk).exists()
    restore(full, replace=True)
    assert not User.objects.filter(pk=bob.pk).exists()


def test_sqlite_is_kept_as_before(full, is_postgres):
    """Readers beside the writer, and free pages given back."""
    if is_postgres:
        pytest.skip("about files of SQLite")
    restore(full, replace=True)
    path = Path(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert cursor.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    assert [left.name for left in path.parent.glob(f".{path.name}*")] == []
    assert members(full)
