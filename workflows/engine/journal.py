"""Collects the changes of one turn of the event loop and hands them to the writer together."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import uuid_utils

from workflows.engine.records import (
    Batch,
    Event,
    ExecutionState,
    Reservation,
    TaskState,
    money,
    timestamp,
)


class Journal:
    """Where runs record their transitions. `submit` takes a finished batch.

    A thing that changes twice before the hand-over is written once, as it was last; its events
    are all kept.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, submit: Callable[[Batch], None]) -> None:
        self._loop = loop
        self._submit = submit
        self._reset()

    def _reset(self) -> None:
        self._batch = Batch()
        self._executions: dict[str, ExecutionState] = {}
        self._tasks: dict[str, tuple[ExecutionState, TaskState]] = {}
        self._scheduled = False

    def event(self, execution: ExecutionState, type_: str, data: dict[str, Any]) -> None:
        """Record an event; the execution's row, which counts it, is written with it."""
        execution.sequence += 1
        self._executions[execution.pk] = execution
        self._batch.events.append(
            Event(
                uuid_utils.uuid7().hex,
                execution.pk,
                execution.sequence,
                type_,
                orjson.dumps(data).decode(),
                timestamp(datetime.now(UTC)) or "",
            )
        )
        if not self._scheduled:
            self._scheduled = True
            # Two turns, so that a task started by an end goes into the same commit as that end.
            self._loop.call_soon(self._loop.call_soon, self.flush)

    def task(self, execution: ExecutionState, task: TaskState, data: dict[str, Any]) -> None:
        """Record a task's change and the event that tells of it."""
        self._tasks[task.pk] = (execution, task)
        self.event(execution, "task", data)

    def reserve(self, entry: Reservation) -> None:
        """Record that an attempt may cost this much."""
        self._batch.reserved.append(entry)

    def settle(self, execution: ExecutionState, entry: str, amount: Decimal) -> None:
        """Record what an attempt did cost."""
        self._batch.settled[entry] = (execution.pk, money(amount))

    def committed(self, execution: ExecutionState) -> "asyncio.Future[None]":
        """Resolves when what was recorded so far is durable; LeaseLost when it will never be."""
        future: asyncio.Future[None] = self._loop.create_future()
        self._batch.waiters.append((execution.pk, future))
        return future

    def forget(self, execution: str) -> None:
        """Leave out what was recorded for an execution and is not handed over yet."""
        self._executions.pop(execution, None)
        self._tasks = {pk: pair for pk, pair in self._tasks.items() if pair[0].pk != execution}
        self._batch.drop({execution})

    def flush(self) -> None:
        """Hand over what there is."""
        batch = self._batch
        now = timestamp(datetime.now(UTC)) or ""
        for pk, execution in self._executions.items():
            batch.tokens[pk] = execution.token
            batch.executions[pk] = execution.row(now)
        for pk, (execution, task) in self._tasks.items():
            batch.tasks[pk] = (execution.pk, task.row(now))
        self._reset()
        if batch.tokens or batch.waiters:
            self._submit(batch)
