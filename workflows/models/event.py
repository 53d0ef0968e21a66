"""The history of an execution, which its live stream replays."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from hummbl.models import new_id
from workflows.moment import Moment


class History(models.IntegerChoices):
    """What is left of an execution's events; in this order it is deleted, by age."""

    WHOLE = 0, "Whole"
    SHORT = 1, "Without what the models wrote piece by piece"
    NONE = 2, "Deleted"


class ExecutionEvent(models.Model):
    """One line of an execution's history: sequences start at 1 and have no gap.

    Of an execution that has ended, events go by age: `Execution.history` says how many are left.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    execution = models.ForeignKey(
        "Execution", on_delete=models.CASCADE, related_name="events", db_index=False
    )
    sequence = models.PositiveBigIntegerField()
    type = models.CharField(max_length=20)
    data = models.JSONField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["execution", "sequence"]
        constraints = [
            models.UniqueConstraint(fields=["execution", "sequence"], name="event_sequence_unique"),
            models.CheckConstraint(condition=Q(sequence__gte=1), name="event_sequence_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.type}"


def execution_event_data(
    *,
    status: str,
    ended: int,
    count: int,
    cost: Decimal,
    tokens: int,
    error: str,
    started_at: datetime | None,
    completed_at: datetime | None,
) -> dict[str, Any]:
    """What an `execution` event says; one form for the engine and for the models."""
    return {
        "status": status,
        "progress": ended / count if count else 1.0,
        "cost": f"{cost:.8f}",
        "tokens": tokens,
        "error": error,
        "started_at": _iso(started_at),
        "completed_at": _iso(completed_at),
    }


def task_event_data(task: Any) -> dict[str, Any]:
    """What a `task` event says; `task` has the attributes of a TaskResult.

    The output is not in it: it is stored once, with the task.
    """
    started, completed = task.started_at, task.completed_at
    return {
        "task_id": task.task_id,
        "item_index": task.item_index,
        "status": task.status,
        "attempts": task.attempts,
        "model": task.model,
        "input_tokens": task.input_tokens,
        "output_tokens": task.output_tokens,
        "cost": f"{task.cost:.8f}",
        "error": task.error,
        "error_code": task.error_code,
        "duration": (completed - started).total_seconds() if started and completed else None,
        "started_at": _iso(started),
        "completed_at": _iso(completed),
    }


def delta_event_data(task: Any, text: str) -> dict[str, Any]:
    """What a `delta` event says: the next piece of the answer that a task's attempt is writing.

    The pieces of an attempt, joined, are its output. A later attempt starts afresh.
    """
    return {
        "task_id": task.task_id,
        "item_index": task.item_index,
        "attempt": task.attempts,
        "text": text,
    }


def _iso(value: datetime | None) -> str | None:
    if isinstance(value, Moment):
        return value.iso
    return value.isoformat().replace("+00:00", "Z") if value else None
