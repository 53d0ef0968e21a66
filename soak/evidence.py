"""All that the tables say of an execution, read together."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.core import serializers

from workflows.models import Execution, ExecutionEvent, SpendEntry, TaskResult
from workflows.models.states import Trigger

AT_ONCE = 200


@dataclass(frozen=True)
class Evidence:
    """An execution with its rows: tasks by their id, events and ledger entries in order."""

    execution: Execution
    tasks: dict[str, TaskResult]
    events: list[ExecutionEvent]
    entries: list[SpendEntry]

    @cached_property
    def dependencies(self) -> dict[str, list[str]]:
        """The ids that each task of the document waits for."""
        tasks = self.execution.document["tasks"]
        return {task["id"]: list(task.get("dependencies", ())) for task in tasks}

    @cached_property
    def histories(self) -> dict[str, list[ExecutionEvent]]:
        """The `task` and `delta` events of each task."""
        found: dict[str, list[ExecutionEvent]] = defaultdict(list)
        for event in self.events:
            if event.type != "execution":
                found[event.data["task_id"]].append(event)
        return found

    @cached_property
    def given(self) -> set[str]:
        """Tasks that were complete when it was created: the samples of a test of one task."""
        if self.execution.trigger != Trigger.TEST:
            return set()
        return {task_id for task_id, task in self.tasks.items() if task.started_at is None}

    def changes(self, task_id: str) -> list[dict[str, Any]]:
        """What the `task` events of a task say, in order."""
        history = self.histories.get(task_id, [])
        return [event.data for event in history if event.type == "task"]

    def ancestors(self, task_id: str) -> set[str]:
        """Everything that a task waits for, directly or not."""
        found: set[str] = set()
        open_ones = list(self.dependencies[task_id])
        while open_ones:
            current = open_ones.pop()
            if current not in found:
                found.add(current)
                open_ones += self.dependencies[current]
        return found

    def entries_of(self, task_id: str) -> list[SpendEntry]:
        """The ledger's entries of a task."""
        return [entry for entry in self.entries if entry.task_id == task_id]

    def dump(self) -> str:
        """All rows as JSON, to be read by a person."""
        rows = [self.execution, *self.tasks.values(), *self.events, *self.entries]
        return str(serializers.serialize("json", rows, indent=1))


def settled(entries: Iterable[SpendEntry]) -> Decimal:
    """What these attempts are known to have cost."""
    return sum((entry.settled for entry in entries if entry.settled is not None), Decimal(0))


def spent(entries: Iterable[SpendEntry]) -> Decimal:
    """The same, with the upper bound of each attempt whose bill is not known."""
    amounts = (e.reserved if e.settled is None else e.settled for e in entries)
    return sum(amounts, Decimal(0))


def read(executions: Iterable[Execution]) -> Iterator[Evidence]:
    """The evidence on these executions, a few hundred at a time."""
    waiting: list[Execution] = []
    for execution in executions:
        waiting.append(execution)
        if len(waiting) == AT_ONCE:
            yield from _read(waiting)
            waiting = []
    yield from _read(waiting)


def _read(executions: list[Execution]) -> Iterator[Evidence]:
    ids = [execution.pk for execution in executions]
    tasks: dict[Any, dict[str, TaskResult]] = defaultdict(dict)
    events: dict[Any, list[ExecutionEvent]] = defaultdict(list)
    entries: dict[Any, list[SpendEntry]] = defaultdict(list)
    for task in TaskResult.objects.filter(execution_id__in=ids):
        tasks[task.execution_id][task.task_id] = task
    for event in ExecutionEvent.objects.filter(execution_id__in=ids).order_by("sequence"):
        events[event.execution_id].append(event)
    for entry in SpendEntry.objects.filter(execution_id__in=ids).order_by("task_id", "attempt"):
        entries[entry.execution_id].append(entry)
    for execution in executions:
        pk = execution.pk
        yield Evidence(execution, tasks[pk], events[pk], entries[pk])
