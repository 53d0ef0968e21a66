"""An execution from the first task to the last."""

import asyncio

import pytest

from tests.engine.support import Script, check_truth, completion, results, statuses, work
from tests.factories import (
    make_agent,
    make_definition,
    make_diamond,
    make_execution,
    make_task,
    make_workflow,
)
from workflows.engine.run import Run
from workflows.models import ExecutionEvent, SpendEntry, Worker, WorkflowVersion

pytestmark = pytest.mark.django_db(transaction=True)


def test_outputs_reach_the_tasks_that_depend_on_them(alice):
    execution = make_execution(make_workflow(alice))
    script = Script(gather=["five facts"])

    work(script)

    check_truth(execution)
    assert execution.status == "completed"
    assert script.prompt("report") == "Do report.\n\n## Gather\nfive facts"
    tasks = results(execution)
    assert tasks["report"].output == "report done"
    assert tasks["report"].input == script.prompt("report")
    assert tasks["report"].attempts == 1
    assert (execution.input_tokens, execution.output_tokens) == (20, 10)
    assert tasks["gather"].cached_tokens == 2


def test_independent_tasks_run_at_the_same_time(alice):
    execution = make_execution(make_workflow(alice, definition=make_diamond(8)))
    arrived = asyncio.Event()
    waiting = 0

    async def all_together():
        nonlocal waiting
        waiting += 1
        if waiting == 8:
            arrived.set()
        await arrived.wait()
        return completion("together")

    script = Script(**{f"middle_{n}": [all_together] for n in range(8)})
    work(script)

    check_truth(execution)
    assert execution.status == "completed"
    assert script.most_at_once == 8


def test_input_and_instructions_go_into_the_call(alice):
    agent = make_agent(
        role="an editor", description="You love commas.", instructions="Be brief.", temperature=0.1
    )
    task = make_task("write", description="Do write. About {{ input.topic }} and {{ input.n }}.")
    workflow = make_workflow(alice, definition=make_definition(task, agents=[agent]))
    execution = make_execution(workflow, input={"topic": "{{ input.n }}", "n": 3})
    script = Script()

    work(script)

    check_truth(execution)
    (request,) = script.requests
    assert request.prompt == "Do write. About {{ input.n }} and 3."
    assert request.instructions == "You are Writer, an editor.\n\nYou love commas.\n\nBe brief."
    assert (request.temperature, request.max_tokens, request.timeout) == (0.1, 1024, 120.0)


def test_an_unknown_placeholder_fails_the_task_without_a_call(alice):
    task = make_task("write", description="Do write. About {{ input.topic }}.")
    execution = make_execution(make_workflow(alice, definition=make_definition(task)))
    script = Script()

    work(script)

    check_truth(execution)
    failed = results(execution)["write"]
    assert execution.status == "failed"
    assert (failed.status, failed.error_code, failed.attempts) == (
        "failed",
        "unknown_placeholder",
        0,
    )
    assert "input.topic" in failed.error
    assert not script.requests
    assert not SpendEntry.objects.exists()


def test_events_tell_the_story_in_order(alice):
    execution = make_execution(make_workflow(alice))

    work()

    story = [
        (event.type, event.data.get("task_id"), event.data["status"])
        for event in ExecutionEvent.objects.filter(execution=execution).order_by("sequence")
    ]
    assert story == [
        ("execution", None, "pending"),
        ("execution", None, "running"),
        ("task", "gather", "running"),
        ("task", "gather", "completed"),
        ("task", "report", "running"),
        ("task", "report", "completed"),
        ("execution", None, "completed"),
    ]


def test_a_length_finish_is_a_success_that_says_so(alice):
    execution = make_execution(make_workflow(alice))

    work(Script(gather=[completion("cut", finish_reason="length")]))

    check_truth(execution)
    assert results(execution)["gather"].finish_reason == "length"
    assert execution.status == "completed"


def test_many_executions_share_one_worker(alice):
    workflow = make_workflow(alice, definition=make_diamond(3))
    executions = [make_execution(workflow) for _ in range(30)]

    worker = work(concurrency=7)

    for execution in executions:
        check_truth(execution)
        assert set(statuses(execution).values()) == {"completed"}
    assert not worker.runs
    assert not Worker.objects.exists()


def test_a_bug_in_a_call_fails_the_task_and_nothing_else(alice, caplog):
    execution = make_execution(
        make_workflow(alice, definition=make_definition(make_task("one"), make_task("two")))
    )

    work(Script(one=[ZeroDivisionError("secret detail")]))

    check_truth(execution)
    assert statuses(execution) == {"one": "failed", "two": "completed"}
    assert results(execution)["one"].error_code == "internal_error"
    assert "secret" not in results(execution)["one"].error


def test_a_document_that_cannot_be_read_any_more_fails_the_execution(alice):
    broken, sound = (make_execution(make_workflow(alice)) for _ in range(2))
    WorkflowVersion.objects.filter(pk=broken.version_id).update(definition={"from": "the past"})

    work()

    check_truth(broken)
    check_truth(sound)
    assert (broken.status, sound.status) == ("failed", "completed")
    assert broken.error == "This release cannot read the workflow's document. Save it again."


def test_an_execution_that_cannot_be_started_does_not_stop_the_others(alice, monkeypatch):
    broken, sound = (make_execution(make_workflow(alice)) for _ in range(2))
    original = Run._restore

    def restore(run):
        if run.state.pk == broken.pk.hex:
            raise ZeroDivisionError
        return original(run)

    monkeypatch.setattr(Run, "_restore", restore)
    work()

    check_truth(broken)
    check_truth(sound)
    assert (broken.status, sound.status) == ("failed", "completed")
