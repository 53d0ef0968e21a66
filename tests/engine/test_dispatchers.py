"""Dispatchers only tell which executions want a worker; a job too many or too few does no harm."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now

from hummbl import retention, unpooled
from tests.engine.support import Script, check_truth, run, work
from tests.factories import make_execution, make_workflow
from tests.processes import PATIENCE, environment
from workflows.engine.dispatchers.procrastinate import ProcrastinateDispatcher
from workflows.models import Execution

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def jobs(procrastinate):
    """The ids of the executions that have a job, and its state: `[("6f3b…", "todo")]`."""

    def read() -> list[tuple[str, str]]:
        return rows("SELECT args->>'execution', status::text FROM procrastinate_jobs ORDER BY id")

    return read


@pytest.fixture
def procrastinate(settings, is_postgres, empty_queue):
    """Procrastinate is the dispatcher."""
    if not is_postgres:
        pytest.skip("Procrastinate needs PostgreSQL.")
    settings.EXECUTION_DISPATCHER = "procrastinate"


def rows(sql: str, *values: object) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


def sweep() -> int:
    from workflows.engine.dispatchers.jobs import sweep

    return sweep()


def test_a_database_that_restarts_meanwhile_is_an_error_of_the_database(alice, procrastinate):
    """Which is what whoever starts an execution is ready for."""
    workflow = make_workflow(alice)
    (pid,) = rows("SELECT pg_backend_pid()")[0]
    other = unpooled.connection("terminator")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
    other.close()
    with pytest.raises(OperationalError):
        ProcrastinateDispatcher.announce(workflow.pk)
    connection.close()
    make_execution(workflow)


def test_the_job_is_there_if_and_only_if_the_execution_is(alice, jobs):
    workflow = make_workflow(alice)
    with transaction.atomic():
        make_execution(workflow)
        assert len(jobs()) == 1
        transaction.set_rollback(True)

    assert not Execution.objects.exists()
    assert jobs() == []
    execution = make_execution(workflow)
    assert jobs() == [(execution.pk.hex, "todo")]


def test_a_job_is_deleted_when_its_execution_is_over(alice, jobs):
    executions = [make_execution(make_workflow(alice)) for _ in range(3)]

    work()

    for execution in executions:
        check_truth(execution)
        assert execution.status == "completed"
    assert jobs() == []
    assert rows("SELECT id FROM procrastinate_workers") == []


def test_a_job_of_an_execution_that_is_over_ends_at_once(alice, jobs):
    over, open_one = (make_execution(make_workflow(alice)) for _ in range(2))
    over.cancel(by=alice)
    script = Script()

    work(script)

    check_truth(open_one)
    assert script.calls == {"gather": 1, "report": 1}
    assert jobs() == []


def test_a_job_of_an_execution_that_another_holds_ends_at_once(alice, jobs):
    held, free = (make_execution(make_workflow(alice)) for _ in range(2))
    Execution.objects.filter(pk=held.pk).update(
        lease_owner="another", lease_token=7, lease_expires_at=Now() + timedelta(minutes=5)
    )
    from tests.engine.support import UntilIdle, unbounded

    class UntilFreeIsOver(UntilIdle):
        def _on_end(self, run) -> None:
            super()._on_end(run)
            self.stop()

    run(UntilFreeIsOver(complete=Script(), slot=unbounded))

    check_truth(free)
    held.refresh_from_db()
    assert (held.status, held.lease_owner, held.lease_token) == ("pending", "another", 7)
    assert jobs() == []


def test_the_sweep_defers_what_nobody_holds_and_nobody_waits_for(alice, jobs):
    """Whatever its workers died of, or whichever dispatcher made it."""
    waiting, expired, held, over = (make_execution(make_workflow(alice)) for _ in range(4))
    rows("DELETE FROM procrastinate_jobs WHERE queueing_lock <> %s", str(waiting.pk))
    for execution, seconds in ((expired, -1), (held, 60)):
        Execution.objects.filter(pk=execution.pk).update(
            lease_owner="another", lease_expires_at=Now() + timedelta(seconds=seconds)
        )
    over.cancel(by=alice)

    assert sweep() == 1

    assert jobs() == [(waiting.pk.hex, "todo"), (expired.pk.hex, "todo")]
    assert sweep() == 0


def test_a_sweep_that_meets_another_is_no_failure(alice, jobs):
    """Two transactions that cannot see each other's jobs defer the same execution."""
    import threading

    execution = make_execution(make_workflow(alice))
    rows("DELETE FROM procrastinate_jobs")
    deferred: list[int] = []
    with transaction.atomic():
        from workflows.engine.dispatchers.procrastinate import ProcrastinateDispatcher

        ProcrastinateDispatcher.announce(execution.pk)
        other = threading.Thread(target=lambda: deferred.append(sweep()))
        other.start()
        other.join(0.3)
        assert other.is_alive()
    other.join(PATIENCE)

    assert deferred == [0]
    assert jobs() == [(execution.pk.hex, "todo")]


def test_what_is_left_over_is_deleted(alice, jobs):
    taken, lost, over, waiting = (make_execution(make_workflow(alice)) for _ in range(4))
    failed = make_execution(make_workflow(alice))
    alive, dead = (
        rows(
            "INSERT INTO procrastinate_workers (last_heartbeat) "
            "VALUES (now() - make_interval(mins => %s)) RETURNING id",
            minutes,
        )[0][0]
        for minutes in (1, 30)
    )
    for execution, worker in ((taken, alive), (lost, dead)):
        rows(
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s "
            "WHERE queueing_lock = %s",
            worker,
            str(execution.pk),
        )
    rows("UPDATE procrastinate_jobs SET status = 'failed' WHERE queueing_lock = %s", str(failed.pk))
    over.cancel(by=alice)

    found = {result.name: result.rows for result in retention.preview()}
    assert (found["jobs left over"], found["job workers"]) == (3, 1)
    retention.run()

    assert jobs() == [(taken.pk.hex, "doing"), (waiting.pk.hex, "todo")]
    assert rows("SELECT id FROM procrastinate_workers") == [(alive,)]
    assert rows("SELECT id FROM procrastinate_events WHERE job_id NOT IN (SELECT id FROM "
                "procrastinate_jobs)") == []  # fmt: skip


def test_a_worker_that_others_took_for_dead_goes_on(alice, jobs):
    """Silent for half a minute, its row is gone when it comes back; its next fetch fails."""
    first = make_execution(make_workflow(alice))
    second = []

    async def forgotten():
        import asyncio

        await asyncio.to_thread(forget)
        return "gathered"

    def forget():
        rows("DELETE FROM procrastinate_workers")
        second.append(make_execution(make_workflow(alice)))
        connection.close()

    work(Script(gather=[forgotten]))

    for execution in (first, *second):
        check_truth(execution)
        assert execution.status == "completed"
    assert jobs() == []


def test_a_wake_up_while_the_worker_is_full_is_not_forgotten(alice, dispatcher, monkeypatch):
    from workflows.engine import worker as worker_module

    make_execution(make_workflow(alice))
    later = []

    async def create():
        import asyncio

        monkeypatch.setattr(worker_module, "POLL_SECONDS", 3600.0)
        await asyncio.to_thread(make)
        await asyncio.sleep(0.2)  # the wake-up finds it full
        return "gathered"

    def make():
        later.append(make_execution(make_workflow(alice)))
        connection.close()

    work(Script(gather=[create]), concurrency=1)

    check_truth(later[0])
    assert later[0].status == "completed"


@pytest.mark.once
@pytest.mark.parametrize(
    ("name", "advice"),
    [("celery", "Set it to database or procrastinate"), ("procrastinate", "needs PostgreSQL")],
)
def test_a_dispatcher_that_cannot_be_used_is_refused(name, advice, settings, tmp_path):
    answer = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=settings.BASE_DIR,
        env=os.environ | {
            "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3", "EXECUTION_DISPATCHER": name
        },
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert answer.returncode != 0
    assert advice in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.once
def test_sqlite_has_nothing_of_procrastinate(settings):
    code = "import django, sys; django.setup(); print('procrastinate' in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env=environment(DJANGO_SETTINGS_MODULE="hummbl.settings"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "False"
