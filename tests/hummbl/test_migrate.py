"""`manage.py migrate` by several deployments at once, in processes of their own."""

import re
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from tests.processes import PATIENCE, environment

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

HOLD = """
import django, time
django.setup()
from hummbl import migration_lock
with migration_lock.held("default", patience=0, on_wait=lambda: None):
    print("held", flush=True)
    time.sleep(600)
"""


def python(*arguments, **streams):
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=settings.BASE_DIR,
        env=environment(DJANGO_SETTINGS_MODULE="hummbl.settings"),
        text=True,
        **streams,
    )


@contextmanager
def holder():
    """A process that has the lock; killed at the end."""
    with python("-c", HOLD, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def applied():
    with connection.cursor() as cursor:
        if "django_migrations" not in connection.introspection.table_names(cursor):
            return []
        cursor.execute("SELECT app, name FROM django_migrations")
        return [".".join(row) for row in cursor.fetchall()]


def test_deployments_at_once_apply_each_migration_once(elsewhere):
    with elsewhere():
        with holder():
            deployments = [
                python("manage.py", "migrate", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                for _ in range(3)
            ]
            for deployment in deployments:
                assert "waiting for it up to 600 s" in deployment.stderr.readline()
        said = [deployment.communicate(timeout=PATIENCE) for deployment in deployments]
        assert [deployment.returncode for deployment in deployments] == [0, 0, 0], said
        found = applied()
        call_command("schema", "verify")

    lines = "".join(out for out, _ in said)
    done = re.findall(r"Applying (\S+)\.\.\. OK", lines)
    assert sorted(done) == sorted(set(done)) == sorted(found)
    assert sum("No migrations to apply" in out for out, _ in said) == 2


def test_a_lock_ends_with_the_process_that_holds_it(elsewhere):
    with elsewhere(), holder() as process:
        with pytest.raises(CommandError, match="Another process has been migrating"):
            call_command("migrate", lock_timeout=0, verbosity=0)
        assert applied() == []
        waiting = python("manage.py", "migrate", "accounts", "-v", "0", stderr=subprocess.PIPE)
        assert "waiting for it" in waiting.stderr.readline()

        process.send_signal(signal.SIGKILL)

        assert waiting.wait(PATIENCE) == 0, waiting.stderr.read()
        waiting.stderr.close()
        assert "accounts.0001_users_and_sessions" in applied()


def test_looking_needs_no_lock(elsewhere, capsys):
    with elsewhere(), holder():
        call_command("migrate", plan=True)
        assert "accounts.0001_users_and_sessions" in capsys.readouterr().out
        with pytest.raises(SystemExit):
            call_command("migrate", check_unapplied=True, verbosity=0)


def test_a_worker_waits_until_everything_is_migrated(elsewhere):
    with elsewhere():
        call_command("migrate", verbosity=0)
        call_command("migrate", "workflows", "0001", verbosity=0)
        with python("manage.py", "worker", stderr=subprocess.PIPE) as worker:
            try:
                for line in worker.stderr:
                    if "is ready" in line:
                        pytest.fail("it began to work")
                    if "the worker waits for manage.py migrate" in line:
                        break
                call_command("migrate", verbosity=0)
                for line in worker.stderr:
                    if "is ready" in line:
                        break
                else:
                    pytest.fail("it never began to work")
                worker.send_signal(signal.SIGTERM)
                assert worker.wait(PATIENCE) == 0
            finally:
                worker.kill()
