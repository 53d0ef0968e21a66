"""Whatever the graph and the calls do, whatever becomes of the workers: what ends is truthful."""

import asyncio
import contextlib
import random
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TransactionTestCase
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from hummbl.errors import Conflict
from soak.evidence import read
from soak.verdict import look
from tests.engine.stepping import SteppedWorker, SteppedWriter
from tests.engine.support import Script, check_truth, completion, failure, statuses, work
from tests.factories import (
    make_agent,
    make_definition,
    make_execution,
    make_task,
    make_user,
    make_workflow,
)
from workflows.engine import retry
from workflows.engine import worker as worker_module
from workflows.models import Execution, Workflow

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
        try:
            Execution.objects.get(pk=self.execution.pk).cancel(by=self.execution.user)
        except Conflict:
            pass
        finally:
            connection.close()


class AnyGraph(TransactionTestCase):
    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
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


# --- Several workers, step by step ---

AGENT = {"provider": "openai", "model": "gpt-4.1-mini", "max_tokens": 100}
WORKER = st.integers(0, 1)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
OUTCOME = st.sampled_from(
    [
        lambda: None,
        lambda: failure("timeout", maybe_billed=True),
        lambda: failure("content_filter", retryable=False, maybe_billed=True),
        ZeroDivisionError,
    ]
)
BRISK = settings(
    max_examples=30,
    stateful_step_count=25,
    # A story is short as it is; to make it shorter takes minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
CAPS = [None, None, Decimal("0.0004"), Decimal("0.001")]


def documents():
    """A chain, a diamond and a single task; mostly their fallback is tried at once."""

    def task(name, *before, max_retries=0):
        text = f"Do {name} of {{{{ input.run }}}}."
        return make_task(name, *before, description=text, max_retries=max_retries)

    chain = [task("a"), task("b", "a", max_retries=1), task("c", "b")]
    diamond = [task("a"), task("b", "a"), task("c", "a", max_retries=1), task("d", "b", "c")]
    single = [task("a")]
    agents = [make_agent(**AGENT, fallbacks=["openai:gpt-4.1-mini"])]
    return [make_definition(*tasks, agents=agents) for tasks in (chain, diamond, single)]


class Workers(RuleBasedStateMachine):
    """Two workers and clients on one database; whatever happens, the rules of the soak hold.

    A lease expires when the test says so: a worker that is not asked to do anything meanwhile is
    one that sleeps, and what it does afterwards comes too late.
    """

    workflows: ClassVar[list[Workflow]]

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.made: Counter[tuple[str, str]] = Counter()
        self.workers = [self.worker(), self.worker()]
        self.executions: list[Execution] = []
        self.ends: dict[UUID, tuple[object, ...]] = {}

    def worker(self) -> SteppedWorker:
        return SteppedWorker(self.loop, self.made)

    def teardown(self) -> None:
        """In the end there is a worker that nobody disturbs, and then everything is over."""
        for worker in self.workers:
            worker.die(0)
        last = self.worker()
        for _ in range(100):
            Execution.objects.under_way().exclude(lease_owner=last.name).update(
                lease_expires_at=LONG_AGO
            )
            last.look()
            for call in last.calls:
                call.end(None)
            last.step()
            if not Execution.objects.under_way().exists():
                break
        last.stop()
        self.loop.close()
        self.check(at_the_end=True)
        # One that is left over after all must not haunt the next example.
        Execution.objects.under_way().delete()

    @initialize()
    def begin(self) -> None:
        for workflow in self.workflows:
            self.execute(workflow, None)
        self.workers[0].look()

    @rule(number=st.integers(0, 2), cap=st.sampled_from(CAPS), which=WORKER)
    def somebody_executes(self, number, cap, which) -> None:
        self.execute(self.workflows[number], cap)
        self.workers[which].look()

    def execute(self, workflow, cap) -> None:
        label = f"run-{len(self.executions)}"
        self.executions.append(make_execution(workflow, input={"run": label}, cost_cap=cap))

    @rule(which=WORKER)
    def look(self, which) -> None:
        self.workers[which].look()

    @rule(which=WORKER, items=st.integers(1, 4))
    def commit(self, which, items) -> None:
        self.workers[which].step(items)

    @rule(which=WORKER, number=st.integers(0, 2), outcome=OUTCOME)
    def a_provider_answers(self, which, number, outcome) -> None:
        worker = self.workers[which]
        for call in worker.calls[number : number + 1]:
            call.end(outcome())
        worker.settle()

    @rule(which=WORKER, number=st.integers(0, 2), outcome=OUTCOME, busy=st.booleans())
    def all_providers_answer(self, which, number, outcome, busy) -> None:
        worker = self.workers[which]
        for place, call in enumerate(worker.calls):
            call.end(outcome() if place == number else None)
        worker.settle()
        for _ in range(1 if busy else 4):
            worker.step(4 if busy else 1)

    @rule(which=WORKER)
    def renew(self, which) -> None:
        self.workers[which].renew()

    @rule(which=WORKER)
    def leases_expire(self, which) -> None:
        name = self.workers[which].name
        Execution.objects.under_way().filter(lease_owner=name).update(lease_expires_at=LONG_AGO)

    @rule(number=st.integers(0, 9), told=st.booleans())
    def somebody_cancels(self, number, told) -> None:
        execution = self.executions[number % len(self.executions)]
        with contextlib.suppress(Conflict):
            execution.cancel(by=execution.user)
        for worker in self.workers if told else ():
            worker.look_for_cancelled()

    @rule(which=WORKER, items=st.integers(0, 4))
    def a_worker_dies(self, which, items) -> None:
        worker, self.workers[which] = self.workers[which], self.worker()
        worker.die(items)
        # Nobody renews these any more.
        Execution.objects.under_way().filter(lease_owner=worker.name).update(
            lease_expires_at=LONG_AGO
        )

    @rule(which=WORKER)
    def a_worker_is_stopped(self, which) -> None:
        self.workers[which].stop()
        self.workers[which] = self.worker()

    @rule(which=WORKER, items=st.integers(0, 2))
    def the_database_is_away(self, which, items) -> None:
        self.workers[which].lose_database(items)

    @invariant()
    def holds(self) -> None:
        self.check(at_the_end=False)

    def check(self, *, at_the_end) -> None:
        rows = Execution.objects.filter(pk__in=[execution.pk for execution in self.executions])
        evidence = list(read(rows.select_related("version")))
        found = list(look(evidence, at_the_end=at_the_end))
        assert not found, "\n".join(map(str, found))
        for each in evidence:
            for task_id, task in each.tasks.items():
                calls = self.made[each.execution.input["run"], task_id]
                assert calls <= task.attempts, f"{task_id} was asked for before it was durable"
                if task.is_terminal:
                    end = (task.status, task.output, task.attempts, task.cost, task.completed_at)
                    assert self.ends.setdefault(task.pk, end) == end, f"{task_id} has ended twice"


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(600)
def test_workers_that_come_and_go(monkeypatch, settings):
    settings.EXECUTION_DISPATCHER = "database"
    monkeypatch.setattr(worker_module, "Writer", SteppedWriter)
    monkeypatch.setattr(retry, "BASE_SECONDS", 0)
    alice = make_user("alice@example.com")
    Workers.workflows = [make_workflow(alice, definition=each) for each in documents()]
    run_state_machine_as_test(Workers, settings=BRISK)
