"""Workers that are killed and workers that wake up late lose nothing and do nothing twice."""

import os
import re
import signal
import sqlite3
import time
from collections import Counter
from contextlib import ExitStack

import pytest
from django.db import connection
from django.db.models.functions import Now

from tests.engine.support import check_truth
from tests.factories import (
    make_agent,
    make_definition,
    make_execution,
    make_key,
    make_task,
    make_workflow,
)
from tests.processes import wait_for, worker
from workflows.models import Execution, ExecutionEvent, TaskResult, Worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

EXECUTIONS = 20
LEASE_SECONDS = 2
ANSWER_SECONDS = 0.4


@pytest.fixture
def workflow(alice, llmock, settings):
    """Three tasks in a row on a slow provider."""
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    llmock.delay(ANSWER_SECONDS, times=None)
    key = make_key(alice, provider="custom", base_url=llmock.base_url())
    tasks = [
        make_task(name, *before, description=f"Do {name} of {{{{ input.run }}}}.", max_retries=0)
        for name, *before in (["one"], ["two", "one"], ["three", "two"])
    ]
    agents = [make_agent(provider="custom", model="gpt-mock", key=key.name)]
    return make_workflow(alice, definition=make_definition(*tasks, agents=agents))


def asked(llmock) -> Counter[str]:
    """How often the provider was asked for what, such as `one of run-7`."""
    return Counter(
        re.search(r"Do (\w+ of run-\d+)\.", str(request["body"]))[1]
        for request in llmock.requests()
        if request["path"].endswith("/chat/completions")
    )


def completed() -> dict[str, TaskResult]:
    """The completed tasks by what the provider was asked for."""
    tasks = TaskResult.objects.filter(status="completed").select_related("execution")
    return {f"{task.task_id} of {task.execution.input['run']}": task for task in tasks}


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


def held_by(pid: int) -> int:
    live = Execution.objects.under_way().filter(lease_owner__contains=f"-{pid}-")
    return live.filter(lease_expires_at__gt=Now()).count()


def test_a_killed_and_a_paused_worker(workflow, llmock):
    with ExitStack() as stack:
        environment = {"LEASE_SECONDS": str(LEASE_SECONDS), "WORKER_CONCURRENCY": "10"}
        first = stack.enter_context(worker(**environment))
        second = stack.enter_context(worker(**environment))
        wait_for(lambda: Worker.objects.alive().count() == 2, what="both are ready")
        executions = [
            make_execution(workflow, input={"run": f"run-{n}"}) for n in range(EXECUTIONS)
        ]
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
    finished = Counter(
        (event.execution_id, event.data["task_id"])
        for event in ExecutionEvent.objects.filter(type="task")
        if event.data["status"] == "completed"
    )
    assert set(finished.values()) == {1}
    for name, task in after.items():
        assert 1 <= asked_after[name] <= task.attempts
