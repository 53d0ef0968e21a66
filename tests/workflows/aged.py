"""Executions as the engine leaves them, that ended a while ago."""

from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from hummbl.models import first_id, new_id
from tests.factories import make_execution
from workflows.models import Execution, ExecutionEvent, SpendEntry
from workflows.models.event import task_event_data


def make_ended(workflow, *, days, texts=3, calls=1, status="completed", **fields):
    """An execution that ended so many days ago; each task has `texts` pieces and `calls` calls."""
    execution = make_execution(workflow)
    at = timezone.now() - timedelta(days=days)
    for task in execution.tasks.all():
        task.status, task.output = status, f"{task.task_id} done"
        task.attempts, task.started_at, task.completed_at = calls, at, at
        task.save()
        for n in range(texts):
            _event(execution, "delta", {"task_id": task.task_id, "item_index": 0, "text": str(n)})
        _event(execution, "task", task_event_data(task))
        for number in range(1, calls + 1):
            make_call(execution, task.task_id, days=days, attempt=number)
    values = {"status": status, "completed_at": at, "ended_count": execution.task_count, **fields}
    for name, value in values.items():
        setattr(execution, name, value)
    _event(execution, "execution", execution.event_data())
    execution.save()
    return execution


def _event(execution, type_, data):
    execution.last_sequence += 1
    ExecutionEvent.objects.create(
        execution=execution, sequence=execution.last_sequence, type=type_, data=data
    )


def make_call(execution, task_id="gather", *, days, attempt=1, **fields):
    """An entry of the ledger, with the id that it would have got so many days ago."""
    at = timezone.now() - timedelta(days=days)
    values = {
        "provider": "openai",
        "model": "gpt-5-mini",
        "reserved": Decimal("0.02"),
        "settled": Decimal("0.01"),
        **fields,
    }
    return SpendEntry.objects.create(
        # Random at its end, as every id is.
        pk=type(first_id(at))(int=first_id(at).int | (new_id().int & ((1 << 62) - 1))),
        execution_id=execution.pk,
        task_id=task_id,
        attempt=attempt,
        user=execution.user,
        workflow_label=execution.workflow.name,
        at=at,
        **values,
    )


def kinds(execution):
    """The types of the events that are left of it."""
    return set(execution.events.values_list("type", flat=True))


def exists(execution):
    return Execution.objects.filter(pk=execution.pk).exists()
