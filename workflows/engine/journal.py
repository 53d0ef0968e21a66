"""Collects the changes of one turn of the event loop and hands them to the writer together."""

import asyncio
from collections.abc import Callable
from datetime import UTC
from decimal import Decimal
from typing import Any

import orjson
import uuid_utils

from workflows.engine.records import Batch, ExecutionState, TaskState, money
from workflows.moment import Moment


class Journal:
    """Where runs record their transitions. `submit` takes a finished batch.

    A thing that changes twice before the hand-over is written once, as it was last; its events
    are all kept.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, submit: Callable[[Batch], None]) -> None:
        self._loop = loop
        self._submit = submit
        self._now = Moment.now(UTC)
        self._reset()

    def _reset(self) -> None:
        self._batch = Batch()
        self._executions: dict[str, ExecutionState] = {}
        self._tasks: dict[str, tuple[ExecutionState, TaskState]] = {}
        self._scheduled = False

    def now(self) -> Moment:
        """The time; one for everything that goes into a batch."""
        if not self._scheduled:
            self._now = Moment.now(UTC)
        return self._now

    def event(self, execution: ExecutionState, type_: str, data: dict[str, Any]) -> None:
        """Record an event; the execution's row, which counts it, is written with it."""
        execution.sequence += 1
        self._executions[execution.pk] = execution
        self._batch.events.append(
            (
                execution.pk,
                uuid_utils.uuid7().hex,
                execution.pk,
                execution.sequence,
                type_,
                orjson.dumps(data).decode(),
                self.now().sql,
            )
        )
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            # Two turns, so that a task started by an end goes into the same commit as that end.
            self._loop.call_soon(self._loop.call_soon, self.flush)

    def task(self, execution: ExecutionState, task: TaskState, data: dict[str, Any]) -> None:
        """Record a task's change and the event that tells of it."""
        self._tasks[task.pk] = (execution, task)
        self.event(execution, "task", data)

    def reserve(
        self,
        execution: ExecutionState,
        task: TaskState,
        *,
        entry: str,
        provider: str,
        amount: Decimal,
    ) -> None:
        """Record that the attempt which a task begins may cost this much, in US dollars."""
        now = self.now().sql
        self._batch.reserved[entry] = (
            execution.pk,
            entry,
            execution.pk,
            execution.user_id,
            execution.workflow_label,
            task.task_id,
            task.item_index,
            task.attempts,
            provider,
            task.model,
            money(amount),
            None,
            now,
            now,
            now,
        )

    def settle(
        self, execution: ExecutionState, task: TaskState, entry: str, amount: Decimal
    ) -> None:
        """Record what an attempt did cost, in US dollars, with the rows that sum it up."""
        self._executions[execution.pk] = execution
        self._tasks[task.pk] = (execution, task)
        self._batch.settled[entry] = (execution.pk, money(amount), entry)
        self._schedule()

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
        now = self.now().sql
        for pk, execution in self._executions.items():
            batch.tokens[pk] = execution.token
            batch.executions[pk] = execution.row(now)
        for pk, (execution, task) in self._tasks.items():
            batch.tasks[pk] = task.row(execution.pk, now)
        self._reset()
        if batch.tokens or batch.waiters:
            self._submit(batch)
