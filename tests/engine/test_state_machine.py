"""Whatever the graph and whatever the calls do: what ends is truthful."""

import asyncio
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TransactionTestCase

from tests.engine.support import Script, check_truth, completion, failure, statuses, work
from tests.factories import make_definition, make_execution, make_task, make_user, make_workflow
from workflows.engine import retry
from workflows.models import Execution

pytestmark = pytest.mark.slow

OUTCOMES = ["ok", "retry", "lasting", "bug", "slow", "cancel"]


@st.composite
def graphs(draw):
    """Tasks that depend on earlier ones, and what their first calls do."""
    count = draw(st.integers(1, 9))
    tasks, outcomes = [], {}
    for n in range(count):
        before = draw(st.lists(st.integers(0, n - 1), unique=True, max_size=3)) if n else []
        tasks.append(
            make_task(f"t{n}", *(f"t{m}" for m in before), max_retries=draw(st.integers(0, 2)))
        )
        outcomes[f"t{n}"] = draw(st.lists(st.sampled_from(OUTCOMES), max_size=3))
    return tasks, outcomes


class Story(Script):
    """Checks at every call that its dependencies have ended well."""

    def __init__(self, execution, tasks, outcomes) -> None:
        super().__init__()
        self.execution, self.outcomes = execution, {k: list(v) for k, v in outcomes.items()}
        self.needs = {task["id"]: task["dependencies"] for task in tasks}
        self.done: set[str] = set()

    async def _answer(self, task):
        assert self.done.issuperset(self.needs[task])
        assert task not in self.done
        what = self.outcomes[task].pop(0) if self.outcomes[task] else "ok"
        if what == "retry":
            raise failure(maybe_billed=random.random() < 0.5)
        if what == "lasting":
            raise failure("authentication", retryable=False)
        if what == "bug":
            raise ZeroDivisionError
        if what == "slow":
            await asyncio.sleep(0.005)
        if what == "cancel":
            await asyncio.to_thread(self.cancel)
        self.done.add(task)
        return completion(f"{task} done")

    def cancel(self):
        from django.db import connection

        from hummbl.errors import Conflict

        try:
            Execution.objects.get(pk=self.execution.pk).cancel(by=self.execution.user)
        except Conflict:
            pass
        finally:
            connection.close()


class AnyGraph(TransactionTestCase):
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(graphs())
    def test_any_graph_with_any_outcome_ends_truthfully(self, graph):
        tasks, outcomes = graph
        alice = make_user("alice@example.com")
        workflow = make_workflow(alice, definition=make_definition(*tasks))
        execution = make_execution(workflow)
        story = Story(execution, tasks, outcomes)
        base, retry.BASE_SECONDS = retry.BASE_SECONDS, 0.001
        try:
            work(story)
        finally:
            retry.BASE_SECONDS = base

        check_truth(execution)
        for task_id, status in statuses(execution).items():
            if status == "completed":
                assert task_id in story.done
            if status == "skipped":
                assert not story.calls[task_id]
        if execution.status == "completed":
            assert story.done == {task["id"] for task in tasks}
