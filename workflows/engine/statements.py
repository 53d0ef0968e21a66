"""A batch as rows and as SQL: a statement a row for SQLite, one for all for PostgreSQL."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from workflows.engine.records import Batch, Reservation, Row

Column = tuple[str, str]  # a name and PostgreSQL's type

EXECUTION_COLUMNS: tuple[Column, ...] = (
    ("status", "varchar"),
    ("error", "text"),
    ("cost", "numeric"),
    ("input_tokens", "bigint"),
    ("output_tokens", "bigint"),
    ("ended_count", "integer"),
    ("last_sequence", "bigint"),
    ("started_at", "timestamptz"),
    ("completed_at", "timestamptz"),
    ("updated_at", "timestamptz"),
)
TASK_COLUMNS: tuple[Column, ...] = (
    ("status", "varchar"),
    ("input", "text"),
    ("output", "text"),
    ("error", "text"),
    ("error_code", "varchar"),
    ("finish_reason", "varchar"),
    ("attempts", "integer"),
    ("model", "varchar"),
    ("input_tokens", "bigint"),
    ("cached_tokens", "bigint"),
    ("output_tokens", "bigint"),
    ("cost", "numeric"),
    ("started_at", "timestamptz"),
    ("completed_at", "timestamptz"),
    ("updated_at", "timestamptz"),
)
EVENT_COLUMNS: tuple[Column, ...] = (
    ("id", "uuid"),
    ("execution_id", "uuid"),
    ("sequence", "bigint"),
    ("type", "varchar"),
    ("data", "jsonb"),
    ("at", "timestamptz"),
)
SPEND_COLUMNS: tuple[Column, ...] = (
    ("id", "uuid"),
    ("execution_id", "uuid"),
    ("user_id", "uuid"),
    ("workflow_label", "varchar"),
    ("task_id", "varchar"),
    ("item_index", "integer"),
    ("attempt", "integer"),
    ("provider", "varchar"),
    ("model", "varchar"),
    ("reserved", "numeric"),
    ("at", "timestamptz"),
    ("settled", "numeric"),
    ("created_at", "timestamptz"),
    ("updated_at", "timestamptz"),
)
SETTLED_COLUMNS: tuple[Column, ...] = (("settled", "numeric"),)
HELD_COLUMNS: tuple[Column, ...] = (("id", "uuid"), ("token", "bigint"))
EXECUTION: Column = ("execution", "uuid")
ID: Column = ("id", "uuid")


@dataclass(frozen=True, slots=True)
class Change:
    """Rows of one table: each the execution's id, the columns, and the row's id if updated."""

    name: str
    table: str
    columns: tuple[Column, ...]
    inserts: bool
    rows: list[Row]

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """The columns of a row but for the execution's id in front."""
        return self.columns if self.inserts else (*self.columns, ID)


def changes(batch: Batch) -> list[Change]:
    """A batch as rows, always of the same tables in the same order."""
    executions = [(pk, *row) for pk, row in batch.executions.items()]
    tasks = [(execution, *row) for execution, row in batch.tasks.values()]
    reserved = [_spend(entry, batch.settled.pop(entry.pk, None)) for entry in batch.reserved]
    settled = [(execution, amount, pk) for pk, (execution, amount) in batch.settled.items()]
    events = [(event.execution, *event) for event in batch.events]
    return [
        Change("executions", "workflows_execution", EXECUTION_COLUMNS, False, executions),
        Change("tasks", "workflows_taskresult", TASK_COLUMNS, False, tasks),
        Change("reserved", "workflows_spendentry", SPEND_COLUMNS, True, reserved),
        Change("settled", "workflows_spendentry", SETTLED_COLUMNS, False, settled),
        Change("events", "workflows_executionevent", EVENT_COLUMNS, True, events),
    ]


def one_row(change: Change) -> str:
    """The statement that writes one row of a change into SQLite."""
    names = [name for name, _ in change.columns]
    if change.inserts:
        marks = ", ".join("?" * len(names))
        return f"INSERT INTO {change.table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608
    return f"UPDATE {change.table} SET {', '.join(f'{n} = ?' for n in names)} WHERE id = ?"  # noqa: S608


def one_statement(every: list[Change]) -> str:
    """The statement that fences and writes a whole batch into PostgreSQL.

    `held` locks, in id order, so that two workers never wait for each other, and waits for a claim
    or a cancellation that is under way; PostgreSQL then looks at the token again.
    """
    parts = ", ".join(f"{change.name} AS ({_part(change)})" for change in every)
    return (
        "WITH held AS MATERIALIZED (SELECT e.id FROM workflows_execution e "  # noqa: S608
        f"JOIN {_recordset(HELD_COLUMNS)} ON e.id = new.id WHERE e.lease_token = new.token "
        f"ORDER BY e.id FOR NO KEY UPDATE OF e), {parts} SELECT id FROM held"
    )


def _part(change: Change) -> str:
    rows = f"{_recordset((EXECUTION, *change.all_columns))} JOIN held ON held.id = new.execution"
    if change.inserts:
        names = ", ".join(name for name, _ in change.columns)
        values = ", ".join(f"new.{name}::{type_}" for name, type_ in change.columns)
        return f"INSERT INTO {change.table} ({names}) SELECT {values} FROM {rows}"  # noqa: S608
    names = ", ".join(f"{name} = new.{name}" for name, _ in change.columns)
    return f"UPDATE {change.table} AS old SET {names} FROM {rows} WHERE old.id = new.id"  # noqa: S608


def _recordset(columns: Iterable[Column]) -> str:
    """A table made of one JSON parameter; JSON columns stay text, to be cast where they go."""
    fields = ", ".join(f"{name} {'text' if type_ == 'jsonb' else type_}" for name, type_ in columns)
    return f"json_to_recordset(%s::json) AS new ({fields})"


def records(columns: Iterable[Column], rows: Sequence[Row]) -> str:
    names = [name for name, _ in columns]
    return orjson.dumps([dict(zip(names, row, strict=True)) for row in rows]).decode()


def _spend(entry: Reservation, settled: tuple[str, str] | None) -> Row:
    """A reservation as a row, settled already if that came in the same batch."""
    amount = settled[1] if settled else None
    return (entry.execution, *entry, amount, entry.at, entry.at)
