"""Several worker processes: who holds what, what was asked of the provider, and what ran twice."""

import re
from collections import Counter
from typing import Any

from django.db.models.functions import Now

from tests.factories import make_agent, make_definition, make_key, make_task, make_workflow
from workflows.models import Execution, ExecutionEvent, TaskResult


def make_chain(user: Any, llmock: Any) -> Any:
    """A workflow of three tasks in a row. Its input says which run it is."""
    key = make_key(user, provider="custom", base_url=llmock.base_url())
    tasks = [
        make_task(name, *before, description=f"Do {name} of {{{{ input.run }}}}.", max_retries=0)
        for name, *before in (["one"], ["two", "one"], ["three", "two"])
    ]
    agents = [make_agent(provider="custom", model="gpt-mock", key=key.name)]
    return make_workflow(user, definition=make_definition(*tasks, agents=agents))


def asked(llmock: Any) -> Counter[str]:
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


def held_by(pid: int) -> int:
    """How many executions the worker process holds."""
    live = Execution.objects.under_way().filter(lease_owner__contains=f"-{pid}-")
    return live.filter(lease_expires_at__gt=Now()).count()


def check_nothing_ran_twice(llmock: Any) -> None:
    """No task has finished twice, and every call is an attempt that is known."""
    finished = Counter(
        (event.execution_id, event.data["task_id"])
        for event in ExecutionEvent.objects.filter(type="task")
        if event.data["status"] == "completed"
    )
    assert set(finished.values()) == {1}
    calls = asked(llmock)
    for name, task in completed().items():
        assert 1 <= calls[name] <= task.attempts, name
