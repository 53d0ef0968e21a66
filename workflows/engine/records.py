"""What a worker holds in memory of the executions that it runs, and what it hands to the writer.

Ids are hex strings, times UTC text and money text as soon as they leave the event loop: SQLite
stores them so, and PostgreSQL reads them so.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from workflows.definition import WorkflowDefinition

Row = tuple[Any, ...]


@dataclass(slots=True)
class TaskState:
    """The row of a task, as the worker that holds the lease knows it."""

    pk: str
    task_id: str
    item_index: int
    status: str
    input: str
    output: str
    error: str
    error_code: str
    finish_reason: str
    attempts: int
    model: str
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost: Decimal
    started_at: datetime | None
    completed_at: datetime | None

    def row(self, now: str) -> Row:
        """The values of TASK_COLUMNS, the key last."""
        return (
            self.status,
            self.input,
            self.output,
            self.error,
            self.error_code,
            self.finish_reason,
            self.attempts,
            self.model,
            self.input_tokens,
            self.cached_tokens,
            self.output_tokens,
            money(self.cost),
            timestamp(self.started_at),
            timestamp(self.completed_at),
            now,
            self.pk,
        )


@dataclass(slots=True)
class ExecutionState:
    """The row of an execution, as the worker that holds the lease knows it."""

    pk: str
    token: int
    status: str
    version_id: str
    user_id: str
    workflow_label: str
    input: dict[str, Any]
    error: str
    cost_cap: Decimal | None
    cost: Decimal
    input_tokens: int
    output_tokens: int
    task_count: int
    ended_count: int
    cancel_requested: bool
    sequence: int
    started_at: datetime | None
    completed_at: datetime | None
    committed_spend: Decimal = Decimal(0)
    definition: WorkflowDefinition | None = None
    tasks: list[TaskState] = field(default_factory=list)

    def row(self, now: str) -> Row:
        """The values of EXECUTION_COLUMNS, the key last."""
        return (
            self.status,
            self.error,
            money(self.cost),
            self.input_tokens,
            self.output_tokens,
            self.ended_count,
            self.sequence,
            timestamp(self.started_at),
            timestamp(self.completed_at),
            now,
            self.pk,
        )


class Reservation(NamedTuple):
    """A SpendEntry as it is inserted."""

    pk: str
    execution: str
    user: str
    workflow_label: str
    task_id: str
    item_index: int
    attempt: int
    provider: str
    model: str
    reserved: str
    at: str


class Event(NamedTuple):
    """An ExecutionEvent as it is inserted."""

    pk: str
    execution: str
    sequence: int
    type: str
    data: str
    at: str


@dataclass(slots=True)
class Batch:
    """Changes that are committed together. Rows of one thing that change twice are written once.

    `tasks` and `settled` carry the execution's id first, so that those of a lost lease can be
    left out.
    """

    tokens: dict[str, int] = field(default_factory=dict)
    executions: dict[str, Row] = field(default_factory=dict)
    tasks: dict[str, tuple[str, Row]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    reserved: list[Reservation] = field(default_factory=list)
    settled: dict[str, tuple[str, str]] = field(default_factory=dict)
    waiters: list[tuple[str, "asyncio.Future[None]"]] = field(default_factory=list)

    def merge(self, later: "Batch") -> None:
        """Add a batch that was handed over after this one."""
        self.tokens.update(later.tokens)
        self.executions.update(later.executions)
        self.tasks.update(later.tasks)
        self.events += later.events
        self.reserved += later.reserved
        self.settled.update(later.settled)
        self.waiters += later.waiters

    def drop(self, lost: set[str]) -> None:
        """Leave out what belongs to these executions."""
        for execution in lost:
            self.tokens.pop(execution, None)
            self.executions.pop(execution, None)
        self.tasks = {pk: item for pk, item in self.tasks.items() if item[0] not in lost}
        self.events = [event for event in self.events if event.execution not in lost]
        self.reserved = [entry for entry in self.reserved if entry.execution not in lost]
        self.settled = {pk: item for pk, item in self.settled.items() if item[0] not in lost}


def money(value: Decimal) -> str:
    """US dollars, with the eight decimals that the tables keep."""
    return f"{value:.8f}"


def timestamp(value: datetime | None) -> str | None:
    """UTC, in the form in which Django stores a time in SQLite and PostgreSQL reads one."""
    return None if value is None else value.replace(tzinfo=None).isoformat(" ")


def from_timestamp(value: Any) -> datetime | None:
    """The aware time of what a database driver gave back."""
    if value is None:
        return None
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    assert isinstance(value, datetime)
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def as_hex(value: Any) -> str:
    """The hex form of an id, which SQLite gives as text and PostgreSQL as a UUID."""
    return value if isinstance(value, str) else value.hex
