"""`manage.py backup`: everything as of one moment, and no secret of the environment."""

import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import AuditEntry, Session, User
from hummbl.backup.archive import Writer
from tests.factories import make_execution, make_key, make_user, make_workflow
from tests.hummbl.archives import backup, manifest, members, rows
from tests.processes import PATIENCE, environment
from workflows.models import Execution, Worker

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "sk-canary-0123456789-WXYZ"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "backup.zip"


def test_holds_every_row_of_every_table_but_who_was_signed_in(alice, api, path):
    make_execution(make_workflow(alice))
    make_key(alice)
    api(alice)
    assert Session.objects.exists()

    said = backup(path)

    found = manifest(path)
    for model in (User, Execution, AuditEntry):
        # The command's own entry was written after it.
        there = model.objects.exclude(**_own(model)).count()
        assert found["tables"][model._meta.label_lower]["rows"] == there > 0
    assert not {"accounts.session", "sessions.session", "workflows.worker"} & set(found["tables"])
    total = sum(table["rows"] for table in found["tables"].values())
    assert f"{path}: {len(found['tables'])} tables, {total:,} rows" in said


def _own(model):
    return {"action": "database.backed_up"} if model is AuditEntry else {"pk": None}


def test_holds_no_secret_of_the_environment(alice, path):
    make_key(alice, secret=SECRET)

    said = backup(path)

    everything = b"".join(members(path).values())
    assert alice.email.encode() in everything
    for secret in (SECRET, settings.SECRET_KEY, *settings.ENCRYPTION_KEYS):
        assert secret.encode() not in everything
    assert "ENCRYPTION_KEYS and SECRET_KEY are not in it" in said


def test_only_its_owner_may_read_it(alice, path):
    backup(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_committed_meanwhile_is_in_no_table(alice, path, monkeypatch):
    """And who commits it waits for nobody."""
    workflow = make_workflow(alice)
    early = make_execution(workflow)
    late = []

    def commit():
        try:
            late.append(make_execution(workflow))
        finally:
            connection.close()

    def add(self, *args):
        plain(self, *args)
        if not late:
            with ThreadPoolExecutor() as threads:
                threads.submit(commit).result(timeout=PATIENCE)

    plain = Writer.add
    monkeypatch.setattr(Writer, "add", add)

    backup(path)

    assert Execution.objects.filter(pk=late[0].pk).exists()
    assert [row["id"] for row in rows(path, "workflows.execution")] == [str(early.pk)]
    for table in ("workflows.taskresult", "workflows.executionevent"):
        assert {row["execution_id"] for row in rows(path, table)} == {str(early.pk)}


def test_an_existing_file_is_replaced_only_by_force(alice, path):
    path.write_text("precious")
    with pytest.raises(CommandError, match=r"backup\.zip exists\. .*--force"):
        backup(path)
    assert path.read_text() == "precious"

    backup(path, force=True)
    assert rows(path, "accounts.user")
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_is_missing(tmp_path):
    with pytest.raises(CommandError, match="could not be written: No such file or directory"):
        backup(tmp_path / "nowhere" / "backup.zip")


def test_a_full_disk_leaves_nothing(alice, path):
    """A limit on the size of files stands for it: the kernel refuses to write on."""
    for number in range(200):
        make_user(f"user{number}@example.com")

    done = subprocess.run(
        [sys.executable, "manage.py", "backup", path],
        cwd=settings.BASE_DIR,
        env=environment(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "could not be written: File too large. Nothing was left behind." in done.stderr
    assert list(path.parent.iterdir()) == []


def test_to_standard_output(alice, path):
    done = subprocess.run(
        [sys.executable, "manage.py", "backup", "-"],
        cwd=settings.BASE_DIR,
        env=environment(),
        capture_output=True,
        check=True,
    )
    path.write_bytes(done.stdout)
    assert [row["email"] for row in rows(path, "accounts.user")] == [alice.email]
    assert b"ENCRYPTION_KEYS" in done.stderr


def test_a_database_without_tables(elsewhere, path):
    with elsewhere(), pytest.raises(CommandError, match="this database has no tables yet"):
        backup(path)
    assert not path.exists()


def test_before_pending_migrations_are_applied(elsewhere, path):
    """That is when a backup is made: the rows are those of the schema that is there."""
    with elsewhere():
        call_command("migrate", "workflows", "0001", verbosity=0)
        call_command("migrate", "accounts", verbosity=0)
        backup(path)
    found = manifest(path)
    assert "definition" not in found["tables"]["workflows.execution"]["columns"]
    assert [name for name in found["migrations"] if name.startswith("workflows.")] == [
        "workflows.0001_workflows_executions_and_ledger"
    ]


def test_is_noted_in_the_audit_log(alice, path):
    backup(path)
    entry = AuditEntry.objects.get(action="database.backed_up")
    assert (entry.actor_label, entry.data["file"]) == ("command line", "backup.zip")
    assert entry.data["rows"] == sum(t["rows"] for t in manifest(path)["tables"].values())


def test_sent_to_a_terminal_it_is_refused(monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    with pytest.raises(CommandError, match="A backup is no text"):
        backup("-")


def test_workers_are_not_in_it(path, db):
    Worker.objects.create(name="somebody", version="1", seen_at="2026-01-01T00:00:00Z")
    backup(path)
    assert b"somebody" not in b"".join(members(path).values())
