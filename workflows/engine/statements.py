"""A batch as rows and as SQL: a statement a row for SQLite, one for all for PostgreSQL."""

from collections.abc import Iterable
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


@dataclass(frozen=True, slots=True)
class Table:
    """A table that a batch writes: inserted into, or updated by id.

    A row holds the execution's id, the columns, and the row's own id if it is updated.
    """

    name: str
    columns: tuple[Column, ...]
    inserts: bool

    @property
    def fields(self) -> tuple[Column, ...]:
        """What a row holds."""
        own = () if self.inserts else (("id", "uuid"),)
        return (("execution", "uuid"), *self.columns, *own)


TABLES = (
    Table("workflows_execution", EXECUTION_COLUMNS, inserts=False),
    Table("workflows_taskresult", TASK_COLUMNS, inserts=False),
    Table("workflows_spendentry", SPEND_COLUMNS, inserts=True),
    Table("workflows_spendentry", SETTLED_COLUMNS, inserts=False),
    Table("workflows_executionevent", EVENT_COLUMNS, inserts=True),
)


def rows_of(batch: Batch) -> list[list[Row]]:
    """The rows of a batch for each of TABLES."""
    reserved = [_spend(entry, batch.settled.pop(entry.pk, None)) for entry in batch.reserved]
    return [
        [(pk, *row) for pk, row in batch.executions.items()],
        [(execution, *row) for execution, row in batch.tasks.values()],
        reserved,
        [(execution, amount, pk) for pk, (execution, amount) in batch.settled.items()],
        [(event.execution, *event) for event in batch.events],
    ]


def _one_row(table: Table) -> str:
    """The statement that writes one row into SQLite; it takes all but the execution's id."""
    names = [name for name, _ in table.columns]
    if table.inserts:
        marks = ", ".join("?" * len(names))
        return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608
    return f"UPDATE {table.name} SET {', '.join(f'{n} = ?' for n in names)} WHERE id = ?"  # noqa: S608


def _one_statement() -> str:
    """The statement that fences and writes a whole batch into PostgreSQL.

    It takes the executions' ids and tokens, then the rows of each of TABLES. `held` locks, in id
    order, so that two workers never wait for each other, and waits for a claim or a cancellation
    that is under way; PostgreSQL then looks at the token again.
    """
    parts = ", ".join(f"part_{number} AS ({_part(table)})" for number, table in enumerate(TABLES))
    return (
        "WITH held AS MATERIALIZED (SELECT e.id FROM workflows_execution e "  # noqa: S608
        f"JOIN {_recordset(HELD_COLUMNS)} ON e.id = new.id WHERE e.lease_token = new.token "
        f"ORDER BY e.id FOR NO KEY UPDATE OF e), {parts} SELECT id FROM held"
    )


def _part(table: Table) -> str:
    rows = f"{_recordset(table.fields)} JOIN held ON held.id = new.execution"
    if table.inserts:
        names = ", ".join(name for name, _ in table.columns)
        values = ", ".join(f"new.{name}::{type_}" for name, type_ in table.columns)
        return f"INSERT INTO {table.name} ({names}) SELECT {values} FROM {rows}"  # noqa: S608
    names = ", ".join(f"{name} = new.{name}" for name, _ in table.columns)
    return f"UPDATE {table.name} AS old SET {names} FROM {rows} WHERE old.id = new.id"  # noqa: S608


def _recordset(columns: Iterable[Column]) -> str:
    """A table made of one JSON parameter; JSON columns stay text, to be cast where they go."""
    fields = ", ".join(f"{name} {'text' if type_ == 'jsonb' else type_}" for name, type_ in columns)
    return f"json_to_recordset(%s::json) AS new ({fields})"


def records(columns: Iterable[Column], rows: Iterable[Row]) -> str:
    """Rows as the JSON that ONE_STATEMENT takes for them."""
    names = [name for name, _ in columns]
    return orjson.dumps([dict(zip(names, row, strict=True)) for row in rows]).decode()


def _spend(entry: Reservation, settled: tuple[str, str] | None) -> Row:
    """A reservation as a row, settled already if that came in the same batch."""
    amount = settled[1] if settled else None
    return (entry.execution, *entry, amount, entry.at, entry.at)


# They never change: built once, not for every commit.
ONE_ROW = tuple(_one_row(table) for table in TABLES)
ONE_STATEMENT = _one_statement()
