"""What a worker holds in memory of the executions that it runs, and what it hands to the writer.

Ids are hex strings, times UTC text and money text as soon as they leave the event loop: SQLite
stores them so, and PostgreSQL reads them so.
"""

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from workflows.definition import WorkflowDefinition
from workflows.moment import Moment

Row = tuple[Any, ...]

ZERO = Decimal(0)
NOTHING = "0.00000000"  # as `money` writes it


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
    started_at: Moment | None
    completed_at: Moment | None

    def row(self, execution: str, now: str) -> Row:
        """The execution's id, the values of TASK_COLUMNS and the key."""
        return (
            execution,
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
            self.started_at and self.started_at.sql,
            self.completed_at and self.completed_at.sql,
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
    started_at: Moment | None
    completed_at: Moment | None
    created_at: Moment
    committed_spend: Decimal = ZERO
    definition: WorkflowDefinition | None = None
    tasks: list[TaskState] = field(default_factory=list)

    def row(self, now: str) -> Row:
        """The id, the values of EXECUTION_COLUMNS and the id as key."""
        return (
            self.pk,
            self.status,
            self.error,
            money(self.cost),
            self.input_tokens,
            self.output_tokens,
            self.ended_count,
            self.sequence,
            self.started_at and self.started_at.sql,
            self.completed_at and self.completed_at.sql,
            now,
            self.pk,
        )


@dataclass(slots=True)
class Batch:
    """Changes that are committed together. Rows of one thing that change twice are written once.

    `executions`, `tasks`, `reserved` and `settled` are by the id of the row. Every row has its
    execution's id first, so that those of a lost lease can be left out.
    """

    tokens: dict[str, int] = field(default_factory=dict)
    executions: dict[str, Row] = field(default_factory=dict)
    tasks: dict[str, Row] = field(default_factory=dict)
    reserved: dict[str, Row] = field(default_factory=dict)
    settled: dict[str, Row] = field(default_factory=dict)
    events: list[Row] = field(default_factory=list)
    waiters: list[tuple[str, "asyncio.Future[None]"]] = field(default_factory=list)

    def merge(self, later: "Batch") -> None:
        """Add a batch that was handed over after this one."""
        self.tokens.update(later.tokens)
        self.executions.update(later.executions)
        self.tasks.update(later.tasks)
        self.reserved.update(later.reserved)
        self.settled.update(later.settled)
        self.events += later.events
        self.waiters += later.waiters

    def drop(self, lost: set[str]) -> None:
        """Leave out what belongs to these executions."""
        for execution in lost:
            self.tokens.pop(execution, None)
            self.executions.pop(execution, None)
        for rows in (self.tasks, self.reserved, self.settled):
            for pk in [pk for pk, row in rows.items() if row[0] in lost]:
                del rows[pk]
        self.events = [row for row in self.events if row[0] not in lost]


def money(value: Decimal) -> str:
    """US dollars, with the eight decimals that the tables keep."""
    return f"{value:.8f}" if value else NOTHING


def as_hex(value: Any) -> str:
    """The hex form of an id, which SQLite gives as text and PostgreSQL as a UUID."""
    return value if isinstance(value, str) else value.hex
