"""What is tried again, how often, and what happens to the rest."""

from decimal import Decimal

import pytest

from tests.engine.support import Script, check_truth, failure, results, statuses, work
from tests.factories import make_agent, make_definition, make_execution, make_task, make_workflow
from workflows.engine import retry
from workflows.models import ExecutionEvent, SpendEntry, TaskResult

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(retry, "BASE_SECONDS", 0.001)


def test_a_passing_failure_is_tried_again(alice):
    execution = make_execution(make_workflow(alice))

    work(Script(gather=[failure(), failure("timeout", maybe_billed=True), "at last"]))

    check_truth(execution)
    gather = results(execution)["gather"]
    assert execution.status == "completed"
    assert (gather.output, gather.attempts, gather.error) == ("at last", 3, "")
    told = [
        event.data["error_code"]
        for event in ExecutionEvent.objects.filter(execution=execution).order_by("sequence")
        if "retry_in" in event.data
    ]
    assert told == ["rate_limited", "timeout"]


def test_retry_after_is_the_least_that_is_waited(alice):
    execution = make_execution(make_workflow(alice))

    work(Script(gather=[failure(retry_after=0.05), "at last"]))

    events = ExecutionEvent.objects.filter(execution=execution, type="task")
    (wait,) = [event.data["retry_in"] for event in events if "retry_in" in event.data]
    assert wait >= 0.05


def test_backoff_grows_with_jitter_up_to_a_cap(monkeypatch):
    monkeypatch.setattr(retry, "BASE_SECONDS", 0.5)
    monkeypatch.setattr(retry.random, "uniform", lambda low, high: high)
    assert [retry.backoff(n, None) for n in range(8)] == [0.5, 1.5, 4.5, 13.5, 30, 30, 30, 30]
    assert retry.backoff(0, 20) == 20.5
    monkeypatch.setattr(retry.random, "uniform", lambda low, high: low)
    assert [retry.backoff(n, None) for n in range(3)] == pytest.approx([0, 1.05, 3.15])
    assert retry.backoff(0, 20) == 20


def test_no_wait_is_shorter_than_the_one_before():
    """The longest that can be drawn is shorter than the next one's shortest."""
    for failures in range(1, 6):
        longest_before = retry.BASE_SECONDS * retry.GROWTH ** (failures - 1)
        assert min(retry.backoff(failures, None) for _ in range(200)) > longest_before * 2


def test_retries_end_and_dependents_are_skipped(alice):
    tasks = [
        make_task("one", max_retries=1),
        make_task("two", "one"),
        make_task("three", "two"),
        make_task("apart"),
    ]
    execution = make_execution(make_workflow(alice, definition=make_definition(*tasks)))
    script = Script(one=[failure()] * 5)

    work(script)

    check_truth(execution)
    assert statuses(execution) == {
        "one": "failed",
        "two": "skipped",
        "three": "skipped",
        "apart": "completed",
    }
    assert script.calls["one"] == results(execution)["one"].attempts == 2
    assert execution.error == "“One” failed: The provider said rate_limited."
    assert results(execution)["three"].error == "Skipped, because “One” failed."


def test_a_lasting_failure_is_not_tried_again(alice):
    execution = make_execution(make_workflow(alice))
    script = Script(gather=[failure("authentication", retryable=False)])

    work(script)

    check_truth(execution)
    assert script.calls == {"gather": 1}
    assert results(execution)["gather"].error_code == "authentication"


def test_fallbacks_follow_when_retries_are_used_up(alice):
    agent = make_agent(fallbacks=["local:second"])
    definition = make_definition(make_task("one", max_retries=1), agents=[agent])
    execution = make_execution(make_workflow(alice, definition=definition))
    script = Script(one=[failure(), failure()])

    work(script)

    check_truth(execution)
    assert [request.model for request in script.requests] == ["smollm2-135m"] * 2 + ["second"]
    one = results(execution)["one"]
    assert (one.status, one.attempts, one.model) == ("completed", 3, "second")


def test_a_task_that_kills_its_workers_is_given_up(alice):
    execution = make_execution(make_workflow(alice))
    entry = {"workflow_label": "x", "execution_id": execution.pk, "task_id": "gather"}
    SpendEntry.objects.bulk_create(
        SpendEntry(
            **entry,
            attempt=n,
            provider="local",
            model="m",
            reserved=Decimal(0),
            at=execution.created_at,
        )
        for n in range(1, 10)
    )
    TaskResult.objects.filter(execution=execution, task_id="gather").update(
        status="running", attempts=9, started_at=execution.created_at
    )
    script = Script()

    work(script)

    check_truth(execution)
    assert results(execution)["gather"].error_code == "attempts_exhausted"
    assert not script.calls["gather"]
