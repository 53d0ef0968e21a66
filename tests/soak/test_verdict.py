"""The verdict can fail: a finished database is falsified in every way, and the rule says so."""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from soak import rules
from soak.verdict import Receipt, judge
from tests.engine.support import Script, Streamed, completion, failure, work
from tests.factories import (
    make_agent,
    make_definition,
    make_execution,
    make_task,
    make_user,
    make_workflow,
)
from workflows.engine import retry
from workflows.models import Execution, ExecutionEvent, SpendEntry, TaskResult, Worker

pytestmark = pytest.mark.django_db

LATER = timedelta(hours=1)


class Cancelling(Script):
    """Cancels an execution when it is asked for its task."""

    def __init__(self, execution, **answers) -> None:
        super().__init__(**answers)
        self.execution = execution

    async def _answer(self, task, on_delta):
        if task == "last":
            await asyncio.to_thread(cancel, self.execution)
            await asyncio.sleep(60)
        return await super()._answer(task, on_delta)


def cancel(execution) -> None:
    execution.cancel(by=execution.user)
    connection.close()


@pytest.fixture(scope="module")
def finished(django_db_setup, django_db_blocker):
    """A completed, a failed and a cancelled execution, committed for all tests of this file."""
    with django_db_blocker.unblock():
        alice = make_user("alice@example.com")

        def execute(label, *tasks, **fields):
            agents = [make_agent(fallbacks=["local:smollm2-135m"])]
            definition = make_definition(*tasks, agents=agents)
            workflow = make_workflow(alice, definition=definition)
            return make_execution(workflow, input={"run": label}, **fields)

        done = execute("done", make_task("one"), make_task("two", "one"), cost_cap=Decimal("0.01"))
        failed = execute("failed", make_task("bad"), make_task("never", "bad"))
        cancelled = execute("cancelled", make_task("first"), make_task("last", "first"))
        script = Cancelling(
            cancelled,
            one=[failure(), completion("one done")],
            two=[Streamed(("Hello ", "there"))],
            bad=[failure("authentication", retryable=False)],
        )
        base, retry.BASE_SECONDS = retry.BASE_SECONDS, 0.001
        work(script)
        retry.BASE_SECONDS = base
        for execution in (done, failed, cancelled):
            execution.refresh_from_db()
    yield {"done": done, "failed": failed, "cancelled": cancelled}
    with django_db_blocker.unblock():
        call_command("flush", interactive=False, verbosity=0)


def test_an_honest_database_is_acquitted(finished):
    receipts = [Receipt(label, execution.pk) for label, execution in finished.items()]
    statuses = [execution.status for execution in finished.values()]
    assert statuses == ["completed", "failed", "cancelled"]
    assert judge(receipts, asked()) == []


def asked() -> dict[tuple[str, str], int]:
    """As often as each task says."""
    tasks = TaskResult.objects.filter(attempts__gt=0).select_related("execution")
    return {(task.execution.input["run"], task.task_id): task.attempts for task in tasks}


# --- Falsifications ---


def change(name: str, **values: Any):
    return lambda made: Execution.objects.filter(pk=made[name].pk).update(**values)


def change_task(task_id: str, **values: Any):
    return lambda made: TaskResult.objects.filter(task_id=task_id).update(**values)


def change_entry(task_id: str, **values: Any):
    return lambda made: SpendEntry.objects.filter(task_id=task_id).update(**values)


def end_of(task_id: str):
    return ExecutionEvent.objects.filter(
        type="task", data__task_id=task_id, data__completed_at__isnull=False
    ).last()


def append(made, name: str, type_: str, data: dict[str, Any]) -> None:
    """One more event, counted as it should be."""
    execution = Execution.objects.get(pk=made[name].pk)
    execution.last_sequence += 1
    execution.save(update_fields=["last_sequence"])
    ExecutionEvent.objects.create(
        execution=execution, sequence=execution.last_sequence, type=type_, data=data
    )


def rewrite(event: ExecutionEvent, **values: Any) -> None:
    event.data |= values
    event.save(update_fields=["data"])


def finish_again(made) -> None:
    append(made, "done", "task", end_of("two").data)


def go_on(made) -> None:
    data = end_of("two").data | {"status": "running", "completed_at": None}
    append(made, "done", "task", data)


def one_more_attempt(made) -> None:
    entry = SpendEntry.objects.filter(task_id="two").get()
    entry.pk, entry.attempt, entry.at = uuid.uuid4(), 2, entry.at + LATER
    entry.save(force_insert=True)


def rewrite_end_of(task_id: str, **values: Any):
    return lambda made: rewrite(end_of(task_id), **values)


def rewrite_piece(made) -> None:
    rewrite(ExecutionEvent.objects.filter(type="delta", data__text="Hello ").get(), text="Bye ")


def rewrite_last(made) -> None:
    rewrite(ExecutionEvent.objects.filter(execution=made["done"]).last(), cost="9.00000000")


def spend_for(**values: Any):
    def falsify(made) -> None:
        entry = SpendEntry.objects.filter(task_id="two").get()
        entry.pk = uuid.uuid4()
        for name, value in values.items():
            setattr(entry, name, value)
        entry.save(force_insert=True)

    return falsify


def orphan(model, **values: Any):
    """A row whose execution does not exist; the constraint is only looked at with a commit."""
    return lambda made: model.objects.create(execution_id=uuid.uuid4(), **values)


def hold(owner: str, seconds: float, *, alive: bool):
    def falsify(made) -> None:
        if alive:
            Worker.objects.create(name=owner, version="1", seen_at=timezone.now())
        Execution.objects.filter(pk=made["done"].pk).update(
            status="running",
            completed_at=None,
            lease_owner=owner,
            lease_expires_at=timezone.now() + timedelta(seconds=seconds),
        )

    return falsify


def cut(event: Callable[[], Any]):
    return lambda made: event().delete()


@dataclass(frozen=True)
class Lie:
    id: str
    rule: str
    falsify: Callable[[Any], object]


LEDGER = "every attempt is in the ledger once"
LIES = [
    Lie(
        "execution-goes-on", "everything ends", change("done", status="running", completed_at=None)
    ),
    Lie("task-goes-on", "everything ends", change_task("two", status="running", completed_at=None)),
    Lie(
        "failed-as-completed", "the status is true", change("failed", status="completed", error="")
    ),
    Lie("completed-as-failed", "the status is true", change("done", status="failed", error="So.")),
    Lie("failed-without-error", "the status is true", change("failed", error="")),
    Lie("nobody-cancelled", "the status is true", change("cancelled", cancel_requested_at=None)),
    Lie("nothing-cancelled", "the status is true", change_task("last", status="completed")),
    Lie("ended-count", "the counts are true", change("done", ended_count=1)),
    Lie("task-count", "the counts are true", change("done", task_count=3)),
    Lie(
        "task-missing", "the counts are true", cut(lambda: TaskResult.objects.filter(task_id="two"))
    ),
    Lie("ends-late", "the times are true", change_task("two", completed_at=timezone.now() + LATER)),
    Lie("begins-late", "the times are true", change_task("two", started_at=timezone.now() + LATER)),
    Lie("never-started", "the times are true", change("done", started_at=None)),
    Lie("cost", "cost and tokens are the sums of the tasks", change("done", cost=F("cost") + 1)),
    Lie("tokens", "cost and tokens are the sums of the tasks", change("done", input_tokens=1)),
    Lie("output", "only completed tasks have outputs", change_task("last", output="Surprise")),
    Lie("error", "only completed tasks have outputs", change_task("two", error="Oh.")),
    Lie("nobody-asked", "only completed tasks have outputs", change_task("two", attempts=0)),
    Lie("no-reason", "only completed tasks have outputs", change_task("bad", error="")),
    Lie("skipped-for-nothing", "tasks run in order", change_task("bad", status="cancelled")),
    Lie("began-early", "tasks run in order", cut(lambda: end_of("one"))),
    Lie("began-anyhow", "tasks run in order", change_task("one", status="failed")),
    Lie(
        "skipped-while-running", "only allowed transitions", rewrite_end_of("two", status="skipped")
    ),
    Lie("finished-twice", "nothing finishes twice", finish_again),
    Lie("never-finished", "nothing finishes twice", cut(lambda: end_of("two"))),
    Lie("ran-on", "nothing finishes twice", go_on),
    Lie("ran-again", "nothing completed runs again", go_on),
    Lie("paid-again", "nothing completed runs again", one_more_attempt),
    Lie("attempts", "every attempt is counted", change_task("two", attempts=2)),
    Lie("no-entry", LEDGER, cut(lambda: SpendEntry.objects.filter(task_id="two"))),
    Lie("one-entry-too-many", LEDGER, one_more_attempt),
    Lie("settled-twice", LEDGER, change_entry("two", settled=F("settled") * 2)),
    Lie("not-settled", LEDGER, change_entry("two", settled=None)),
    Lie("somebody-pays", LEDGER, change_entry("two", user=None)),
    Lie("cap", "the cap holds", change("done", cost_cap=Decimal("0.0001"))),
    Lie("gap", "no gap in the events", cut(lambda: end_of("one"))),
    Lie(
        "last-sequence",
        "no gap in the events",
        change("done", last_sequence=F("last_sequence") + 1),
    ),
    Lie("event-and-row", "the events lead to the rows", change_task("two", model="another")),
    Lie("event-and-execution", "the events lead to the rows", rewrite_last),
    Lie("pieces", "the events lead to the rows", rewrite_piece),
    Lie("orphan-task", "no orphans", orphan(TaskResult, task_id="x", position=0)),
    Lie("orphan-event", "no orphans", orphan(ExecutionEvent, sequence=1, type="task", data={})),
    Lie("orphan-entry", "no orphans", spend_for(execution_id=uuid.uuid4())),
    Lie("entry-of-no-task", "no orphans", spend_for(task_id="nobody")),
    Lie("held-by-the-dead", "no lease of the dead", hold("dead", 60, alive=False)),
    Lie("not-renewed", "no lease of the dead", hold("living", -60, alive=True)),
]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.id)
def test_a_lie_is_found_by_its_rule(finished, lie):
    with transaction.atomic():
        lie.falsify(finished)
        found = judge()
        transaction.set_rollback(True)
    assert lie.rule in {violation.rule for violation in found}, found


def test_every_rule_has_its_lie():
    assert {lie.rule for lie in LIES} >= {*rules.ALWAYS, *rules.AT_THE_END}


def test_what_was_promised_and_is_not_there(finished):
    lost = Receipt("done", uuid.uuid4())
    (violation,) = judge([lost])
    assert violation.rule == "what a client was told is there"


def test_what_is_there_twice(finished):
    receipt = Receipt("done", finished["done"].pk)
    with transaction.atomic():
        change("failed", input={"run": "done"})(finished)
        found = judge([receipt])
        transaction.set_rollback(True)
    assert [violation.rule for violation in found] == ["what a client was told is there"]


def test_what_was_cancelled_and_goes_on(finished):
    receipt = Receipt("cancelled", finished["cancelled"].pk, cancelled=True)
    with transaction.atomic():
        change("cancelled", status="running", completed_at=None)(finished)
        found = judge([receipt])
        transaction.set_rollback(True)
    assert "what a client was told is there" in {violation.rule for violation in found}


@pytest.mark.parametrize(
    "lie",
    [{("done", "two"): 2}, {("done", "two"): 0}, {("done", "nobody"): 1}, {("nobody", "two"): 1}],
    ids=["one-call-too-many", "never-asked", "unknown-task", "unknown-run"],
)
def test_what_the_provider_knows_better(finished, lie):
    (violation,) = judge(asked=asked() | lie)
    assert violation.rule == "a call for each attempt at most"
