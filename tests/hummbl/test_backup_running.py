"""A backup that is made while a worker writes is restored elsewhere, and a worker goes on there."""

import re
from collections import Counter

import pytest
from django.db.models import Count, F, Q

from tests.engine.support import check_truth
from tests.factories import (
    PASSWORD,
    make_agent,
    make_definition,
    make_execution,
    make_key,
    make_task,
    make_workflow,
)
from tests.hummbl.archives import backup, restore
from tests.processes import wait_for, worker
from workflows.models import Execution, TaskResult
from workflows.models.states import TERMINAL_TASK_STATUSES

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

EXECUTIONS = 12
ANSWER_SECONDS = 0.3


@pytest.fixture
def workflow(alice, llmock, settings):
    """Three tasks in a row on a provider that takes its time."""
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    llmock.delay(ANSWER_SECONDS, times=None)
    key = make_key(alice, provider="custom", base_url=llmock.base_url())
    tasks = [
        make_task(name, *before, description=f"Do {name} of {{{{ input.run }}}}.")
        for name, *before in (["one"], ["two", "one"], ["three", "two"])
    ]
    agents = [make_agent(provider="custom", model="gpt-mock", key=key.name)]
    return make_workflow(alice, definition=make_definition(*tasks, agents=agents))


def asked(llmock) -> Counter[str]:
    """How often the provider was asked for what, such as `one of run-7`."""
    found = (re.search(r"Do (\w+ of run-\d+)\.", str(r["body"])) for r in llmock.requests())
    return Counter(match[1] for match in found if match)


def in_the_middle() -> bool:
    """Some tasks have ended, and some are running."""
    found = TaskResult.objects.aggregate(
        completed=Count("pk", filter=Q(status="completed")),
        running=Count("pk", filter=Q(status="running")),
    )
    return found["completed"] >= 3 and found["running"] >= 3


def check_one_moment() -> None:
    """What every commit of a worker keeps true holds of the rows of a backup."""
    executions = Execution.objects.annotate(
        events_there=Count("events", distinct=True),
        tasks_ended=Count(
            "tasks", distinct=True, filter=Q(tasks__status__in=TERMINAL_TASK_STATUSES)
        ),
    )
    assert executions.filter(events_there=F("last_sequence")).count() == EXECUTIONS
    assert executions.filter(tasks_ended=F("ended_count")).count() == EXECUTIONS


def test_what_was_in_flight_is_finished_elsewhere(
    workflow, llmock, elsewhere, tmp_path, api, dispatcher
):
    """Under Procrastinate too, whose jobs are in no backup."""
    path = tmp_path / "backup.zip"
    executions = [make_execution(workflow, input={"run": f"run-{n}"}) for n in range(EXECUTIONS)]
    with worker(WORKER_CONCURRENCY="6", EXECUTION_DISPATCHER=dispatcher):
        wait_for(in_the_middle, what="the worker is in the middle of it")
        backup(path)

    with elsewhere():
        restore(path)
        check_one_moment()
        assert Execution.objects.under_way().exists()
        done = {
            f"{task.task_id} of {task.execution.input['run']}"
            for task in TaskResult.objects.filter(status="completed").select_related("execution")
        }
        assert done
        before = asked(llmock)
        with worker(EXECUTION_DISPATCHER=dispatcher):
            wait_for(lambda: not Execution.objects.under_way().exists(), what="all have ended")
            run_another(api, workflow)
        for execution in Execution.objects.filter(pk__in=[run.pk for run in executions]):
            check_truth(execution)
            assert execution.status == "completed", execution.error
        again = asked(llmock) - before
        assert done.isdisjoint(again), "completed tasks are not run again"


def run_another(api, workflow) -> None:
    """Sign in, and start a run that reaches its end."""
    client = api()
    login = {"email": workflow.owner.email, "password": PASSWORD}
    token = client.post("/api/auth/login", login).json()["token"]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    made = client.post(f"/api/workflows/{workflow.pk}/execute", {"input": {"run": "run-99"}})
    assert made.status_code == 202, made.json()
    address = f"/api/executions/{made.json()['id']}"
    wait_for(lambda: client.get(address).json()["status"] == "completed", what="a new run")
