"""A batch as rows and as SQL: a statement a row for SQLite, one for all for PostgreSQL."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from string import ascii_lowercase

import orjson

from workflows.engine.records import Batch, Row

Column = tuple[str, str]  # a name and PostgreSQL's type
KEYS = ascii_lowercase  # what the columns of a row are called on their way to PostgreSQL

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
    ("settled", "numeric"),
    ("at", "timestamptz"),
    ("created_at", "timestamptz"),
    ("updated_at", "timestamptz"),
)
SETTLED_COLUMNS: tuple[Column, ...] = (("settled", "numeric"),)
HELD_COLUMNS: tuple[Column, ...] = (("id", "uuid"), ("token", "bigint"))

# Where `settled` is in a row of the ledger, after the execution's id.
SETTLED = 1 + [name for name, _ in SPEND_COLUMNS].index("settled")


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


def rows_of(batch: Batch) -> list[Sequence[Row]]:
    """The rows of a batch for each of TABLES."""
    # What is reserved and settled in one batch is one row: the statements of a batch do not see
    # each other's rows on PostgreSQL.
    for entry in batch.settled.keys() & batch.reserved.keys():
        row = list(batch.reserved[entry])
        row[SETTLED] = batch.settled.pop(entry)[1]
        batch.reserved[entry] = tuple(row)
    return [
        list(batch.executions.values()),
        list(batch.tasks.values()),
        list(batch.reserved.values()),
        list(batch.settled.values()),
        batch.events,
    ]


def many_rows(table: Table, count: int) -> str:
    """The statement that writes that many rows into SQLite; of each row all but the first value.

    One call of SQLite for many rows: Python's lock is free during a call, and is waited for after
    it, so that a call for each row would stop the event loop for the length of the batch.
    """
    width = len(table.fields) - 1
    values = ", ".join([f"({', '.join('?' * width)})"] * count)
    if table.inserts:
        names = ", ".join(name for name, _ in table.columns)
        return f"INSERT INTO {table.name} ({names}) VALUES {values}"  # noqa: S608
    # SQLite calls the columns of VALUES so.
    changes = ", ".join(f"{name} = new.column{n}" for n, (name, _) in enumerate(table.columns, 1))
    return (
        f"UPDATE {table.name} AS old SET {changes} FROM (VALUES {values}) AS new "  # noqa: S608
        f"WHERE old.id = new.column{width}"
    )


def _one_statement() -> str:
    """The statement that fences and writes a whole batch into PostgreSQL.

    It takes the executions' ids and tokens, then the rows of each of TABLES, as `records` makes
    them. `held` locks, in id order, so that two workers never wait for each other, and waits for
    a claim or a cancellation that is under way; PostgreSQL then looks at the token again.
    """
    parts = ", ".join(f"part_{number} AS ({_part(table)})" for number, table in enumerate(TABLES))
    return (
        "WITH held AS MATERIALIZED (SELECT e.id FROM workflows_execution e "  # noqa: S608
        f"JOIN {_recordset(HELD_COLUMNS)} ON e.id = new.a WHERE e.lease_token = new.b "
        f"ORDER BY e.id FOR NO KEY UPDATE OF e), {parts} SELECT id FROM held"
    )


def _part(table: Table) -> str:
    # Inside CASE the planner cannot make a join of it, which would compare all rows with all.
    held = "CASE WHEN new.a IN (SELECT id FROM held) THEN true END"
    source = f"{_recordset(table.fields)} WHERE {held}"
    columns = list(zip(KEYS[1:], table.columns, strict=False))
    if table.inserts:
        names = ", ".join(name for _, (name, _) in columns)
        values = ", ".join(f"new.{key}::{type_}" for key, (_, type_) in columns)
        return f"INSERT INTO {table.name} ({names}) SELECT {values} FROM {source}"  # noqa: S608
    changes = ", ".join(f"{name} = new.{key}" for key, (name, _) in columns)
    own = KEYS[len(columns) + 1]
    return f"UPDATE {table.name} AS old SET {changes} FROM {source} AND old.id = new.{own}"  # noqa: S608


def _recordset(columns: Iterable[Column]) -> str:
    """A table made of one JSON parameter; JSON columns stay text, to be cast where they go."""
    fields = ", ".join(
        f"{key} {'text' if type_ == 'jsonb' else type_}"
        for key, (_, type_) in zip(KEYS, columns, strict=False)
    )
    return f"json_to_recordset(%s::json) AS new ({fields})"


def records(rows: Iterable[Row]) -> str:
    """Rows as the JSON that ONE_STATEMENT takes for them: keys of one letter are fast to read."""
    return orjson.dumps([dict(zip(KEYS, row, strict=False)) for row in rows]).decode()


# They never change: built once, not for every commit.
MANY_ROWS = tuple(
    tuple((count, many_rows(table, count)) for count in (128, 16, 4, 1)) for table in TABLES
)
ONE_STATEMENT = _one_statement()
