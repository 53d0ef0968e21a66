"""Runs in whatever state a page has to show, written without an engine."""

from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from tests.factories import make_execution, make_workflow
from workflows.models import Execution, ExecutionEvent, SpendEntry
from workflows.models.states import TERMINAL_TASK_STATUSES


def make_run(
    owner, status="completed", *, workflow=None, tasks=None, age=60, **fields
) -> Execution:
    """A run of `owner` in that status. `tasks` maps task ids to fields of their results."""
    run = make_execution(workflow or make_workflow(owner), **fields)
    started = timezone.now() - timedelta(seconds=age)
    results = list(run.tasks.all())
    for result in results:
        given = {"status": _task_status(status), **(tasks or {}).get(result.task_id, {})}
        for name, value in given.items():
            setattr(result, name, value)
        if result.status != "pending":
            result.started_at = started
            result.attempts = result.attempts or 1
        if result.status in TERMINAL_TASK_STATUSES:
            result.completed_at = started + timedelta(seconds=5)
        result.save()
    run.status = status
    run.started_at = None if status == "pending" else started
    if run.is_terminal:
        run.completed_at = started + timedelta(seconds=10)
    run.ended_count = sum(result.is_terminal for result in results)
    run.save()
    return run


def _task_status(status):
    return status if status in {"pending", "running", "completed", "cancelled"} else "completed"


def make_event(run, kind="task", *, at=None, **data) -> ExecutionEvent:
    """The next event of a run."""
    run.last_sequence += 1
    run.save(update_fields=["last_sequence"])
    return ExecutionEvent.objects.create(
        execution=run, sequence=run.last_sequence, type=kind, data=data, at=at or timezone.now()
    )


def make_delta(run, task_id, text, *, attempt=1) -> ExecutionEvent:
    """The next piece of the answer that a task's attempt is writing."""
    data = {"task_id": task_id, "item_index": 0, "attempt": attempt, "text": text}
    return make_event(run, "delta", **data)


def make_attempt(
    run,
    task_id,
    number=1,
    *,
    settled="0.01",
    at=None,
    error="",
    failed_at=None,
    retry_in=None,
    provider="local",
    model="smollm2-135m",
) -> SpendEntry:
    """The ledger's entry of one call, and the event of its failure."""
    if error:
        data = {"task_id": task_id, "attempts": number, "error": error, "error_code": "timeout"}
        again = {} if retry_in is None else {"retry_in": retry_in}
        make_event(run, at=failed_at, **data, **again)
    return SpendEntry.objects.create(
        user=run.user,
        workflow_label=run.workflow.name,
        execution_id=run.pk,
        task_id=task_id,
        attempt=number,
        provider=provider,
        model=model,
        reserved=Decimal("0.02"),
        settled=None if settled is None else Decimal(settled),
        at=at or timezone.now(),
    )
