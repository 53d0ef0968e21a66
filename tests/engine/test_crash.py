"""Workers that are killed and workers that wake up late lose nothing and do nothing twice."""

import os
import signal
import sqlite3
import time
from contextlib import ExitStack

import pytest
from django.db import connection

from tests.engine.fleet import asked, check_nothing_ran_twice, completed, held_by
from tests.engine.support import check_truth
from tests.factories import make_execution
from tests.processes import wait_for, worker
from workflows.models import Execution, TaskResult, Worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

EXECUTIONS = 20
LEASE_SECONDS = 2
ANSWER_SECONDS = 0.4


def pause(process) -> None:
    """SIGSTOP, at a moment when the process is in no write transaction.

    SQLite has one lock for all writers: who sleeps with it in hand stops the whole site, which
    no lease can help. (On PostgreSQL the server ends such a transaction.)
    """
    while True:
        process.send_signal(signal.SIGSTOP)
        # The signal takes effect when the main thread next runs; the writing one goes on till then.
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        if connection.vendor != "sqlite":
            return
        probe = sqlite3.connect(connection.settings_dict["NAME"], timeout=0.2, isolation_level=None)
        try:
            probe.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError:
            process.send_signal(signal.SIGCONT)
            time.sleep(0.003)
        finally:
            probe.close()


def test_a_killed_and_a_paused_worker(chain, llmock, dispatcher):
    llmock.delay(ANSWER_SECONDS, times=None)
    with ExitStack() as stack:
        environment = {"LEASE_SECONDS": str(LEASE_SECONDS), "WORKER_CONCURRENCY": "10"}
        first = stack.enter_context(worker(**environment))
        second = stack.enter_context(worker(**environment))
        wait_for(lambda: Worker.objects.alive().count() == 2, what="both are ready")
        executions = [make_execution(chain, input={"run": f"run-{n}"}) for n in range(EXECUTIONS)]
        wait_for(lambda: held_by(first.pid) and held_by(second.pid), what="both are at work")
        wait_for(lambda: len(completed()) >= 5, what="five tasks are completed")

        first.send_signal(signal.SIGKILL)
        pause(second)
        before = completed()
        asked_before = asked(llmock)
        stack.enter_context(worker(**environment | {"WORKER_CONCURRENCY": "50"}))
        wait_for(
            lambda: (
                not held_by(second.pid)
                and Worker.objects.alive().count()
                and asked(llmock) != asked_before
            ),
            what="the third worker has taken over",
        )
        wait_for(
            lambda: (
                not Execution.objects.under_way().filter(lease_owner__contains=f"-{second.pid}-")
            ),
            what="nothing belongs to the paused worker any more",
        )
        second.send_signal(signal.SIGCONT)
        wait_for(lambda: not Execution.objects.under_way().exists(), what="all have ended")

        after = completed()
        asked_after = asked(llmock)
        ends = {task.pk: (task.output, task.completed_at, task.attempts) for task in after.values()}
        # The worker that woke up is given the time to do harm.
        wait_for(lambda: second.poll() is None and asked(llmock) == asked_after)

    for execution in executions:
        check_truth(execution)
        assert execution.status == "completed"
    assert len(after) == 3 * EXECUTIONS
    for name, task in before.items():
        assert asked_after[name] == asked_before[name], f"{name} was run again"
        assert (after[name].output, after[name].completed_at) == (task.output, task.completed_at)
    for task in TaskResult.objects.all():
        assert ends[task.pk] == (task.output, task.completed_at, task.attempts)
    check_nothing_ran_twice(llmock)
