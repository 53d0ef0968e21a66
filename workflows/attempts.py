"""The attempts of a task: what the ledger and the history say of each call."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from workflows.models import ExecutionEvent, SpendEntry, TaskResult


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call. `cost` is in US dollars: settled, or the upper bound while `is_open`."""

    number: int
    model: str
    at: datetime
    cost: Decimal
    is_open: bool
    error: str
    retry_in: float | None


def attempts_of(task: TaskResult) -> list[Attempt]:
    """The calls made for a task, the first one first."""
    entries = SpendEntry.objects.filter(
        execution_id=task.execution_id, task_id=task.task_id, item_index=task.item_index
    ).order_by("attempt")
    failures = _failures(task) if task.attempts else {}
    return [_attempt(entry, failures.get(entry.attempt, {})) for entry in entries]


def _attempt(entry: SpendEntry, failure: dict[str, Any]) -> Attempt:
    return Attempt(
        number=entry.attempt,
        model=entry.model,
        at=entry.at,
        cost=entry.reserved if entry.settled is None else entry.settled,
        is_open=entry.settled is None,
        error=failure.get("error", ""),
        retry_in=failure.get("retry_in"),
    )


def _failures(task: TaskResult) -> dict[int, dict[str, Any]]:
    """What the history says of each attempt that failed, by number."""
    events = ExecutionEvent.objects.filter(
        execution_id=task.execution_id, type="task", data__task_id=task.task_id
    ).order_by("sequence")
    found = events.values_list("data", flat=True)
    return {data["attempts"]: data for data in found if data.get("error")}
