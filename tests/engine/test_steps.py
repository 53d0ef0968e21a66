"""Every step of executions and tasks writes what the one table says, in code and in the manual."""

import ast
import asyncio
from datetime import timedelta
from decimal import Decimal
from unittest.mock import patch

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from hummbl import retention
from tests.engine.steps import Observer
from tests.engine.support import Script, Streamed, UntilIdle, completion, failure, unbounded, work
from tests.engine.support import run as run_worker
from tests.factories import (
    make_agent,
    make_definition,
    make_execution,
    make_key,
    make_task,
    make_workflow,
)
from workflows import housekeeping
from workflows.engine import retry
from workflows.engine.store import open_store
from workflows.models import Execution, WorkflowVersion
from workflows.models.states import EXECUTION_STEPS, TASK_STEPS, UNDER_WAY, Step

PRICED = {"provider": "openai", "model": "gpt-4.1-mini", "max_tokens": 1000}
BILLED = {"code": "timeout", "maybe_billed": True}


def start(alice, *tasks, **agent) -> Execution:
    """An execution whose calls have a price."""
    make_key(alice)
    definition = make_definition(*tasks, agents=[make_agent(**(PRICED | agent))])
    return make_execution(make_workflow(alice, definition=definition))


def claim(owner) -> None:
    store = open_store(owner, 30.0)
    store.claim(1)
    store.close()


def cancel(execution) -> None:
    Execution.objects.get(pk=execution.pk).cancel(by=execution.user)


# --- What is done for each step ------------------------------------------------------------------


def run_well(alice, look):
    execution = start(alice, make_task("one"))
    look()
    work(Script(one=[failure(**BILLED), failure(**BILLED), completion("x", cost=Decimal("0.1"))]))
    return execution


def fail(alice, look):
    start(alice, make_task("one"), make_task("two", "one"))
    look()
    work(Script(one=[failure("authentication", retryable=False, maybe_billed=True)]))


def refuse(alice, look):
    """Under a cap that no call fits under."""
    make_key(alice)
    definition = make_definition(make_task("one"), agents=[make_agent(**PRICED)])
    make_execution(make_workflow(alice, definition=definition), cost_cap=Decimal("0.0000001"))
    look()
    work()


def renew(alice, look):
    start(alice, make_task("one"))
    look()
    claim("one and the same")
    longer = open_store("one and the same", 60.0)
    longer.renew()
    longer.close()


def hand_over(alice, look):
    """A worker is stopped in the middle of a call, and another goes on."""
    start(alice, make_task("one"))
    look()
    stopped = []

    async def stop():
        stopped[0].stop()
        await asyncio.sleep(60)

    stopped.append(UntilIdle(complete=Script(one=[stop]), slot=unbounded))
    run_worker(stopped[0])
    work()


def give_up(alice, look):
    start(alice, make_task("one"))
    WorkflowVersion.objects.update(definition={})
    look()
    work()


def cancel_pending(alice, look):
    """A worker claims it, hands it back, and the next one finds that it is to be cancelled."""
    execution = start(alice, make_task("one"))
    look()
    store = open_store("first", 30.0)
    store.claim(1)
    cancel(execution)
    look()
    store.hand_back()
    store.close()
    work()


def cancel_in_flight(alice, look):
    """In the second attempt, which may be billed, with another task still to come."""
    execution = start(alice, make_task("one"), make_task("two", "one"))
    look()

    def cancel_in_thread():
        cancel(execution)
        connection.close()

    async def cancel_and_hang():
        await asyncio.to_thread(cancel_in_thread)
        await asyncio.sleep(60)

    work(Script(one=[failure(**BILLED), cancel_and_hang]))


def cancel_at_once(alice, look):
    """The worker that held it has died, and its lease is over."""
    execution = start(alice, make_task("one"), make_task("two", "one"))
    look()
    claim("dead")
    Execution.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    look()
    cancel(execution)
    look()


def delete(alice, look):
    execution = run_well(alice, look)
    execution.workflow.delete(by=alice)
    look()


def forget(alice, look):
    """Retention comes three times, with less patience each time."""
    start(alice, make_task("one"))
    look()
    work(Script(one=[Streamed(("piece by ", "piece"))]))
    with patch.object(housekeeping, "LIVE_TEXT_DAYS", 0):
        retention.run()
    look()
    for setting in ("RETENTION_EVENTS", "RETENTION_EXECUTIONS"):
        with override_settings(**{setting: 0}):
            retention.run()
        look()


def try_one_task(alice, look):
    workflow = make_workflow(alice)
    Execution.start_test(
        workflow, make_definition(), "report", input={}, outputs={"gather": "x"}, user=alice
    )
    look()


def fall_back(alice, look):
    start(alice, make_task("one", max_retries=0), fallbacks=["openai:gpt-4.1-nano"])
    look()
    work(Script(one=[failure(**BILLED)]))


def stream(alice, look):
    start(alice, make_task("one"))
    look()
    work(Script(one=[Streamed(("piece by ", "piece"))]))


# What takes each step in such a way that all of its columns change.
EXECUTIONS = {
    "created": run_well,
    "claimed": run_well,
    "started": run_well,
    "renewed": renew,
    "handed back": hand_over,
    "completed": run_well,
    "failed": fail,
    "given up": give_up,
    "asked to cancel": cancel_in_flight,
    "cancelled": cancel_pending,
    "cancelled at once": cancel_at_once,
    "live text forgotten": forget,
    "history forgotten": forget,
    "forgotten": forget,
    "deleted": delete,
}
TASKS = {
    "created": run_well,
    "given": try_one_task,
    "called": run_well,
    "refused": refuse,
    "streamed": stream,
    "put off": run_well,
    "called again": run_well,
    "billed": fall_back,
    "passed to a fallback": fall_back,
    "recovered": hand_over,
    "completed": run_well,
    "failed": fail,
    "skipped": fail,
    "cancelled": give_up,
    "broken off": cancel_in_flight,
    "cancelled at once": cancel_at_once,
    "forgotten": forget,
    "deleted": delete,
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "do", dict.fromkeys([*EXECUTIONS.values(), *TASKS.values()]), ids=lambda do: do.__name__
)
def test_every_step_writes_what_its_line_says(alice, monkeypatch, do):
    monkeypatch.setattr(retry, "BASE_SECONDS", 0.001)
    observer = Observer()
    observer.watch(monkeypatch)

    do(alice, observer.look)

    assert observer.problems == []
    for steps, doings, taken in (
        (EXECUTION_STEPS, EXECUTIONS, observer.executions),
        (TASK_STEPS, TASKS, observer.tasks),
    ):
        for step in [step for step in steps if doings[step.name] is do]:
            seen = [each for each in taken if each.step is step]
            assert seen, f"{step.name} did not happen"
            assert any(
                each.columns.issuperset(step.columns) and each.totals.issuperset(step.totals)
                for each in seen
            ), f"{step.name} leaves columns of its line as they were: {seen}"


def test_every_step_is_taken_here():
    assert [step.name for step in EXECUTION_STEPS] == list(EXECUTIONS)
    assert [step.name for step in TASK_STEPS] == list(TASKS)


# --- The table for people ------------------------------------------------------------------------

HEADINGS = {"### An execution": EXECUTION_STEPS, "### A task": TASK_STEPS}


def line(step: Step) -> list[str]:
    """The cells of a step's line in the manual."""

    def code(names) -> str:
        return ", ".join(f"`{name}`" for name in names) or "–"

    after = "stays" if step.after is None else f"`{step.after}`"
    cells = [step.name, code(step.before), after, step.by, code(step.columns)]
    if step in TASK_STEPS:
        cells.append(code(step.totals))
    return [*cells, ", ".join(step.beside) or "–"]


@pytest.mark.parametrize("heading", HEADINGS)
def test_the_manual_says_the_same(heading):
    text = (settings.BASE_DIR / "ARCHITECTURE.md").read_text()
    table = text.split(f"\n{heading}\n")[1].split("\n#")[0]
    lines = [row.strip("| ") for row in table.splitlines() if row.startswith("|")]
    assert [row.split(" | ") for row in lines[2:]] == [line(step) for step in HEADINGS[heading]]


# --- Nobody else sets a status -------------------------------------------------------------------

# The third is a workflow's own status, of draft, active, paused and archived.
MAY_SET = {"engine/run.py", "models/execution.py", "models/workflow.py"}


def sets_a_status(path) -> bool:
    """Whether the file assigns a `status`, or updates one by the ORM or by SQL."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if node.attr == "status":
                return True
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            named = {keyword.arg for keyword in node.keywords}
            if node.func.attr == "update" and "status" in named:
                return True
        elif isinstance(node, ast.Constant) and "SET status" in str(node.value):
            return True
    return False


def test_statuses_are_set_in_two_places():
    workflows = settings.BASE_DIR / "workflows"
    found = {
        str(path.relative_to(workflows))
        for path in workflows.rglob("*.py")
        if "migrations" not in path.parts and sets_a_status(path)
    }
    assert found <= MAY_SET
    assert {"engine/run.py", "models/execution.py"} <= found


def test_what_has_ended_stays_as_it_is_until_it_goes():
    for steps, under_way in (
        (EXECUTION_STEPS, UNDER_WAY),
        (TASK_STEPS, ("pending", "running", "waiting")),
    ):
        ended = {step.after for step in steps if step.after} - {*under_way, "gone"}
        assert ended
        for step in steps:
            if ended & {*step.before}:
                assert step.after in {None, "gone"}
