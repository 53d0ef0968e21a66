"""The engine's SQL: claim, fence, write, renew, hand back. One connection, one thread.

Raw statements on the driver's own cursor, in batches: what a transition costs is what the
product is judged by. The two databases differ in how a batch of rows is sent and in how the
executions are locked; everything else is shared.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import orjson
from django.db import connection
from pydantic import ValidationError

from hummbl.models import new_id
from workflows.definition import WorkflowDefinition
from workflows.engine.records import (
    ZERO,
    Batch,
    ExecutionState,
    Row,
    TaskState,
    as_hex,
)
from workflows.engine.statements import (
    MANY_ROWS,
    ONE_STATEMENT,
    records,
    rows_of,
)
from workflows.engine.wake import APPLICATION_NAME, private_connection
from workflows.models.texts import LONG, pack, unpack
from workflows.moment import Moment

logger = logging.getLogger(__name__)

KNOWN_DEFINITIONS = 256
LIVE = "status IN ('pending', 'running')"  # as the partial index `execution_claimable` spells it

CLAIMED_COLUMNS = (
    "e.id, e.lease_token, e.status, e.version_id, e.user_id, w.name, e.input, e.error, "
    "e.cost_cap, e.cost, e.input_tokens, e.output_tokens, e.task_count, e.ended_count, "
    "e.cancel_requested_at, e.last_sequence, e.started_at, e.completed_at, e.created_at, "
    "e.definition"
)
TASK_STATE_COLUMNS = (
    "execution_id, id, task_id, item_index, status, input, output, error, error_code, "
    "finish_reason, attempts, model, input_tokens, cached_tokens, output_tokens, cost, "
    "started_at, completed_at"
)


class Store(ABC):
    """One worker's way into the tables. Make and use it in one thread.

    `owner` names the worker, `lease` is the lease's length in seconds.
    """

    now: str  # the database's clock, as SQL
    expiry: str  # the same plus a lease, as SQL with one parameter

    def __init__(self, owner: str, lease: float) -> None:
        self.owner = owner
        self.lease = lease
        self._definitions: dict[str, WorkflowDefinition] = {}
        self._django = private_connection()
        self._raw: Any = self._django.connection

    def close(self) -> None:
        """Close the connection."""
        self._django.close()

    @abstractmethod
    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """A cursor inside a write transaction."""

    @abstractmethod
    def apply(self, batch: Batch) -> set[str]:
        """Commit a batch; the executions whose lease was lost, of which nothing was written.

        The fence comes first: until the commit nobody else can claim what still carries our token.
        """

    @abstractmethod
    def select_in(self, cursor: Any, sql: str, ids: Sequence[str]) -> list[Any]:
        """The rows of a SELECT whose `{ids}` stands for a list of ids."""

    @abstractmethod
    def one_by_one(self, sql: str) -> str:
        """SQL written with `%s`, in the driver's own style."""

    def claim(self, limit: int, wanted: Sequence[str] = ()) -> list[ExecutionState]:
        """Take up to `limit` executions that nobody holds, the oldest first, with their tasks.

        With `wanted`, only of these.
        """
        if not wanted and not self._claimable():
            return []
        with self.transaction() as cursor:
            ids = self._take(cursor, limit, wanted)
            if not ids:
                self._evict(cursor)
                return []
            sql = (
                f"SELECT {CLAIMED_COLUMNS} FROM workflows_execution e "  # noqa: S608
                "JOIN workflows_workflow w ON w.id = e.workflow_id WHERE e.id IN ({ids}) "
                "ORDER BY e.created_at, e.id"
            )
            rows = self.select_in(cursor, sql, ids)
            claimed = {as_hex(row[0]): _execution(row) for row in rows}
            own = {as_hex(row[0]): row[-1] for row in rows if row[-1] is not None}
            sql = (
                f"SELECT {TASK_STATE_COLUMNS} FROM workflows_taskresult "  # noqa: S608
                "WHERE execution_id IN ({ids}) ORDER BY execution_id, position, item_index"
            )
            for row in self.select_in(cursor, sql, ids):
                claimed[as_hex(row[0])].tasks.append(_task(row))
            capped = [pk for pk, state in claimed.items() if state.cost_cap is not None]
            sql = (
                "SELECT execution_id, SUM(COALESCE(settled, reserved)) FROM workflows_spendentry "
                "WHERE execution_id IN ({ids}) GROUP BY execution_id"
            )
            for pk, spent in self.select_in(cursor, sql, capped) if capped else ():
                claimed[as_hex(pk)].committed_spend = _money(spent)
        for pk, state in claimed.items():
            state.definition = (
                _document(own[pk], f"Execution {pk}")
                if pk in own
                else self._definition(state.version_id)
            )
        return list(claimed.values())

    def _claimable(self) -> bool:
        """Whether there is anything to claim: a read, so that an idle worker writes nothing."""
        sql = f"SELECT 1 FROM workflows_execution WHERE {self._free()} LIMIT 1"  # noqa: S608
        return self._execute(self.one_by_one(sql), (self.owner,)).fetchone() is not None

    @abstractmethod
    def _evict(self, cursor: Any) -> None:
        """Free the rows of a worker that sleeps in the middle of a transaction, if we can."""

    def _free(self) -> str:
        """The condition for what nobody holds, as SQL that takes our name.

        Our own lease may expire while we sleep: then it is to be renewed, not claimed, else we
        would run an execution twice.
        """
        expired = f"lease_expires_at IS NULL OR lease_expires_at < {self.now}"
        return f"{LIVE} AND ({expired}) AND lease_owner <> %s"

    @abstractmethod
    def _take(self, cursor: Any, limit: int, wanted: Sequence[str] = ()) -> list[str]:
        """Put our lease on free executions, with `wanted` only on these; their ids."""

    @abstractmethod
    def _execute(self, sql: str, values: Row) -> Any:
        """Run one statement in autocommit mode; the cursor."""

    def _definition(self, version_id: str) -> WorkflowDefinition | None:
        """The document of a version, read and parsed once; None if this release cannot read it."""
        known = self._definitions.pop(version_id, None)
        if known is None:
            sql = "SELECT definition FROM workflows_workflowversion WHERE id = %s"
            row = self._execute(self.one_by_one(sql), (version_id,)).fetchone()
            known = _document(row[0], f"Version {version_id}")
            if known is None:
                return None
        self._definitions[version_id] = known
        if len(self._definitions) > KNOWN_DEFINITIONS:
            self._definitions.pop(next(iter(self._definitions)))
        return known

    def renew(self) -> list[tuple[str, bool]]:
        """Lengthen our leases; the executions we hold, and whether each is to be cancelled."""
        sql = (
            f"UPDATE workflows_execution SET lease_expires_at = {self.expiry} "  # noqa: S608
            f"WHERE {LIVE} AND lease_owner = %s RETURNING id, cancel_requested_at"
        )
        rows = self._execute(self.one_by_one(sql), (self.lease, self.owner)).fetchall()
        return [(as_hex(pk), cancel is not None) for pk, cancel in rows]

    def cancelled(self) -> list[str]:
        """Those of our executions that someone asked to cancel."""
        sql = (
            f"SELECT id FROM workflows_execution WHERE {LIVE} AND lease_owner = %s "  # noqa: S608
            "AND cancel_requested_at IS NOT NULL"
        )
        return [as_hex(pk) for (pk,) in self._execute(self.one_by_one(sql), (self.owner,))]

    def hand_back(self) -> int:
        """Give up every lease at once, so that another worker can go on; how many there were."""
        sql = (
            "UPDATE workflows_execution SET lease_owner = '', lease_expires_at = NULL, "  # noqa: S608
            f"lease_token = lease_token + 1 WHERE {LIVE} AND lease_owner = %s"
        )
        return int(self._execute(self.one_by_one(sql), (self.owner,)).rowcount)

    def beat(self, version: str, executions: int) -> None:
        """Write the sign of life of this worker."""
        now = self.now
        sql = (
            "INSERT INTO workflows_worker "  # noqa: S608
            "(id, name, version, executions, created_at, updated_at, seen_at) "
            f"VALUES (%s, %s, %s, %s, {now}, {now}, {now}) ON CONFLICT (name) DO UPDATE SET "
            "executions = excluded.executions, updated_at = excluded.updated_at, "
            "seen_at = excluded.seen_at"
        )
        values = (new_id().hex, self.owner, version, executions)
        self._execute(self.one_by_one(sql), values)

    def leave(self) -> None:
        """Take this worker's sign of life away."""
        sql = "DELETE FROM workflows_worker WHERE name = %s"
        self._execute(self.one_by_one(sql), (self.owner,))


class SqliteStore(Store):
    """SQLite: a write transaction is alone, so that a read inside it is the fence."""

    now = "strftime('%Y-%m-%d %H:%M:%f', 'now')"
    expiry = "strftime('%Y-%m-%d %H:%M:%f', 'now', %s || ' seconds')"
    chunk = 500  # older SQLite allows 999 parameters

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        cursor = self._raw.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        try:
            yield cursor
        except BaseException:
            self._raw.rollback()
            raise
        self._raw.commit()

    def apply(self, batch: Batch) -> set[str]:
        with self.transaction() as cursor:
            sql = "SELECT id, lease_token FROM workflows_execution WHERE id IN ({ids})"
            rows = self.select_in(cursor, sql, list(batch.tokens))
            lost = batch.tokens.keys() - {pk for pk, token in rows if batch.tokens[pk] == token}
            if lost:
                batch.drop(lost)
            executions, tasks, *others = rows_of(batch)
            # What is long is kept packed.
            packed = [row if len(row[2]) < LONG > len(row[3]) else _packed(row) for row in tasks]
            for statements, changed in zip(MANY_ROWS, (executions, packed, *others), strict=True):
                self._write(cursor, statements, changed)
        return lost

    def _write(
        self, cursor: Any, statements: Sequence[tuple[int, str]], rows: Sequence[Row]
    ) -> None:
        """Write rows, as many at once as a statement takes."""
        done = 0
        for count, statement in statements:
            while len(rows) - done >= count:
                part = rows[done : done + count]
                cursor.execute(statement, [value for row in part for value in row[1:]])
                done += count

    def select_in(self, cursor: Any, sql: str, ids: Sequence[str]) -> list[Any]:
        rows: list[Any] = []
        for start in range(0, len(ids), self.chunk):
            part = ids[start : start + self.chunk]
            rows += cursor.execute(sql.format(ids=", ".join("?" * len(part))), part).fetchall()
        return rows

    def one_by_one(self, sql: str) -> str:
        return sql.replace("%s", "?")

    def _take(self, cursor: Any, limit: int, wanted: Sequence[str] = ()) -> list[str]:
        among = "AND id IN (SELECT value FROM json_each(?)) " if wanted else ""
        sql = (
            f"UPDATE workflows_execution SET lease_owner = ?, lease_token = lease_token + 1, "  # noqa: S608
            f"lease_expires_at = {self.one_by_one(self.expiry)} WHERE id IN (SELECT id FROM "
            f"workflows_execution WHERE {self.one_by_one(self._free())} {among}"
            "ORDER BY created_at LIMIT ?) RETURNING id"
        )
        chosen = (orjson.dumps(wanted).decode(),) if wanted else ()
        values = (self.owner, self.lease, self.owner, *chosen, limit)
        return [pk for (pk,) in cursor.execute(sql, values).fetchall()]

    def _evict(self, cursor: Any) -> None:
        # Who sleeps with the one write lock in hand keeps us from getting here at all.
        return

    def _execute(self, sql: str, values: Row) -> Any:
        return self._raw.execute(sql, values)


class PostgresStore(Store):
    """PostgreSQL: a batch is one prepared statement, with the rows of a table in one parameter.

    JSON, because the driver escapes arrays in Python: against `unnest` it costs a twentieth of
    the time in this process and a third over all.
    """

    now = "clock_timestamp()"
    expiry = "clock_timestamp() + make_interval(secs => %s)"

    def __init__(self, owner: str, lease: float) -> None:
        super().__init__(owner, lease)
        from psycopg import Cursor

        self._raw.prepare_threshold = 0
        self._cursor = Cursor(self._raw)
        # Every statement here finds its rows by key. The statistics of a table that is young or
        # grows fast must not talk the planner into reading it whole.
        for setting in ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit"):
            self._cursor.execute(f"SET {setting} = off")
        # Should our machine lose its network inside a transaction, the server frees the rows.
        patience = f"{int(lease * 1000)}ms"
        self._cursor.execute(f"SET idle_in_transaction_session_timeout = '{patience}'")

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        # In a pipeline BEGIN travels with the first statement, and COMMIT with the last.
        with self._raw.pipeline(), self._raw.transaction():
            yield self._cursor

    def apply(self, batch: Batch) -> set[str]:
        parameters = [records(batch.tokens.items()), *map(records, rows_of(batch))]
        self._cursor.execute(ONE_STATEMENT, parameters)
        return batch.tokens.keys() - {pk.hex for (pk,) in self._cursor.fetchall()}

    def select_in(self, cursor: Any, sql: str, ids: Sequence[str]) -> list[Any]:
        sql = sql.replace("IN ({ids})", "= ANY(%s::uuid[])")
        return list(cursor.execute(sql, (list(ids),)).fetchall())

    def one_by_one(self, sql: str) -> str:
        return sql

    def _take(self, cursor: Any, limit: int, wanted: Sequence[str] = ()) -> list[str]:
        among = "AND id = ANY(%s::uuid[]) " if wanted else ""
        sql = (
            "UPDATE workflows_execution SET lease_owner = %s, lease_token = lease_token + 1, "  # noqa: S608
            f"lease_expires_at = {self.expiry} WHERE id IN (SELECT id FROM workflows_execution "
            f"WHERE {self._free()} {among}ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED) "
            "RETURNING id"
        )
        chosen = (list(wanted),) if wanted else ()
        cursor.execute(sql, (self.owner, self.lease, self.owner, *chosen, limit))
        return [pk.hex for (pk,) in cursor.fetchall()]

    def _evict(self, cursor: Any) -> None:
        # Paused between the lock and the commit, a worker would keep everyone from claiming what
        # it holds for as long as it sleeps. Nobody who is awake needs a lease's time to commit.
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s "
            "AND datname = current_database() AND usename = current_user "
            "AND xact_start < clock_timestamp() - make_interval(secs => %s)",
            (APPLICATION_NAME, self.lease),
        )

    def _execute(self, sql: str, values: Row) -> Any:
        return self._cursor.execute(sql, values)


def open_store(owner: str, lease: float) -> Store:
    """The store of the configured database."""
    stores: dict[str, type[Store]] = {"sqlite": SqliteStore, "postgresql": PostgresStore}
    return stores[connection.vendor](owner, lease)


def _json(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, str | bytes) else value


def _document(value: Any, label: str) -> WorkflowDefinition | None:
    """The document in a JSON column; None if this release cannot read it."""
    try:
        return WorkflowDefinition.model_validate(_json(value))
    except ValidationError:
        logger.exception("%s is not a valid document", label)
        return None


def _money(value: Any) -> Decimal:
    return Decimal(str(value)) if value else ZERO


def _execution(row: Any) -> ExecutionState:
    return ExecutionState(
        pk=as_hex(row[0]),
        token=row[1],
        status=row[2],
        version_id=as_hex(row[3]),
        user_id=as_hex(row[4]),
        workflow_label=row[5],
        input=_json(row[6]),
        error=row[7],
        cost_cap=None if row[8] is None else _money(row[8]),
        cost=_money(row[9]),
        input_tokens=row[10],
        output_tokens=row[11],
        task_count=row[12],
        ended_count=row[13],
        cancel_requested=row[14] is not None,
        sequence=row[15],
        started_at=Moment.of(row[16]),
        completed_at=Moment.of(row[17]),
        created_at=Moment.read(row[18]),
    )


def _packed(row: Row) -> Row:
    """A task's row as SQLite keeps it if its texts are long."""
    execution, status, prompt, output, *rest = row
    return (execution, status, pack(prompt), pack(output), *rest)


def _task(row: Any) -> TaskState:
    values = list(row[1:])
    values[0] = as_hex(values[0])
    values[4], values[5] = unpack(values[4]), unpack(values[5])
    values[14] = _money(values[14])
    values[15] = Moment.of(values[15])
    values[16] = Moment.of(values[16])
    return TaskState(*values)
