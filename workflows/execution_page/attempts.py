"""The calls that were made for the tasks of a run: what the ledger and the history say of them."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from workflows.models import Execution, ExecutionEvent, SpendEntry, TaskResult, TaskStatus
from workflows.providers.catalogue import estimate


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed call that is made again after `retry_in` seconds."""

    at: datetime
    retry_in: float


@dataclass(frozen=True, slots=True)
class Call:
    """When a call began, of what, and how it failed if it was made again."""

    number: int
    provider: str
    model: str
    at: datetime
    failure: Failure | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call. `cost` is in US dollars: settled, or the upper bound while `is_open`."""

    number: int
    provider: str
    model: str
    at: datetime
    seconds: float | None
    cost: Decimal
    is_open: bool
    error: str
    retry_in: float | None


# The calls of each task of a run, by its id; the first one first.
Calls = dict[str, list[Call]]


def calls_of(execution: Execution) -> Calls:
    """The calls of every task of a run: one query, and one more if any was made again."""
    entries = SpendEntry.objects.filter(execution_id=execution.pk).order_by("task_id", "attempt")
    rows = list(entries.values_list("task_id", "attempt", "provider", "model", "at"))
    again = any(attempt > 1 for _, attempt, *_ in rows)
    failures = _failures(execution.pk) if again else {}
    return {
        task_id: [
            Call(number, provider, model, at, failures.get((task_id, number)))
            for _, number, provider, model, at in calls
        ]
        for task_id, calls in itertools.groupby(rows, key=lambda row: row[0])
    }


def _failures(execution_id: UUID) -> dict[tuple[str, int], Failure]:
    events = ExecutionEvent.objects.filter(
        execution_id=execution_id, type="task", data__has_key="retry_in"
    )
    return {
        (data["task_id"], data["attempts"]): Failure(at, data["retry_in"])
        for data, at in events.values_list("data", "at")
    }


def unpriced(
    results: Iterable[TaskResult], calls: Mapping[str, Sequence[Call | Attempt]]
) -> set[str]:
    """The tasks whose answers cost what nobody here knows: their model has no known price."""
    return {
        result.task_id
        for result in results
        if result.status == TaskStatus.COMPLETED
        and not result.cost
        and _has_no_price(calls.get(result.task_id))
    }


def _has_no_price(calls: Sequence[Call | Attempt] | None) -> bool:
    if not calls:
        return False
    return estimate(calls[-1].provider, calls[-1].model, 0, 0) is None


def attempts_of(task: TaskResult) -> list[Attempt]:
    """The calls made for a task, the first one first. Two queries."""
    entries = SpendEntry.objects.filter(
        execution_id=task.execution_id, task_id=task.task_id, item_index=task.item_index
    ).order_by("attempt")
    failures = _failures_of(task) if task.attempts else {}
    found = list(entries)
    return [_attempt(entry, failures.get(entry.attempt), task) for entry in found]


def _attempt(
    entry: SpendEntry, failure: tuple[dict[str, Any], datetime] | None, task: TaskResult
) -> Attempt:
    data, end = failure or ({}, None)
    if end is None and entry.attempt == task.attempts:
        end = task.completed_at
    return Attempt(
        number=entry.attempt,
        provider=entry.provider,
        model=entry.model,
        at=entry.at,
        seconds=max(0.0, (end - entry.at).total_seconds()) if end else None,
        cost=entry.reserved if entry.settled is None else entry.settled,
        is_open=entry.settled is None,
        error=data.get("error", ""),
        retry_in=data.get("retry_in"),
    )


def _failures_of(task: TaskResult) -> dict[int, tuple[dict[str, Any], datetime]]:
    """What the history says of each call that failed, and when, by its number."""
    events = ExecutionEvent.objects.filter(
        execution_id=task.execution_id, type="task", data__task_id=task.task_id
    ).order_by("sequence")
    found = events.values_list("data", "at")
    return {data["attempts"]: (data, at) for data, at in found if data.get("error")}
