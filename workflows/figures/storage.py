"""What fills the database: the figures of `/api/admin/storage` and of its page.

Measured at most once in ten minutes by each process, and when somebody asks. The share of each
workflow is an estimate from a sample of the rows, so that it takes as long with a million tasks as
with a hundred thousand.
"""

import random
import time
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.apps import apps
from django.db import connection
from django.db.models import Avg, Count, Model
from django.utils import timezone

from hummbl import cache, space, table_sizes
from hummbl.models import first_id
from hummbl.space import Space
from hummbl.table_sizes import TableSize, TableSizes
from workflows.models import Execution, ExecutionEvent, SpendEntry, TaskResult, Workflow

KEPT_SECONDS: Final = 600
# Rows of a table that are looked at, when it has more.
SAMPLE: Final = 20_000
# What a row costs beside its texts: its other columns and its entries in indexes.
ROW_BYTES: Final = 250
SHOWN: Final = 20
DAYS: Final = 7
# Of so many runs the latest ones say how many tasks and events a run has.
LATEST: Final = 1000
# Each table that runs fill: its model, what leads to the execution, the columns that vary in size.
PARTS: Final[tuple[tuple[type[Model], str, tuple[str, ...]], ...]] = (
    (Execution, "id", ("input",)),
    (TaskResult, "execution_id", ("input", "output")),
    (ExecutionEvent, "execution_id", ("data",)),
)


@dataclass(frozen=True, slots=True)
class Share:
    """What a workflow's runs take, about: bytes of executions, of tasks and of events.

    `workflow` is None for all that are not shown, and there are `workflows` of them.
    """

    workflow: Workflow | None
    workflows: int
    executions: int
    execution_bytes: int
    task_bytes: int
    event_bytes: int

    @property
    def bytes(self) -> int:
        """All of it."""
        return self.execution_bytes + self.task_bytes + self.event_bytes


@dataclass(frozen=True, slots=True)
class Growth:
    """Runs that are kept: how many, since when, how many a day began lately, and their bytes.

    The bytes are those of a day's runs with their tasks, events and entries in the ledger.
    """

    executions: int
    oldest: datetime | None
    executions_a_day: float
    bytes_a_day: int


@dataclass(frozen=True, slots=True)
class Storage:
    """What there is as of `at`; reading it took `seconds`. `sampled`: shares are estimates."""

    at: datetime
    seconds: float
    engine: str
    space: Space
    sizes: TableSizes
    shares: list[Share]
    others: Share | None
    sampled: bool
    growth: Growth


def storage(*, anew: bool = False) -> Storage:
    """The figures, at most ten minutes old; `anew` as of now."""
    return cache.get_or_set("storage", "storage", KEPT_SECONDS, _measure, anew=anew)


def names() -> dict[str, str]:
    """What people call each table."""
    models = apps.get_models(include_auto_created=True)
    return {m._meta.db_table: str(m._meta.verbose_name_plural) for m in models}  # noqa: SLF001


def _measure() -> Storage:
    at, began = timezone.now(), time.monotonic()
    sizes = table_sizes.measure()
    by_name = {table.table: table for table in sizes.tables}
    tables = [by_name[model._meta.db_table] for model, _, _ in PARTS]  # noqa: SLF001
    ledger = by_name[SpendEntry._meta.db_table]  # noqa: SLF001
    runs = Execution.objects.order_by().values_list("workflow").annotate(Count("pk"))
    executions = dict(runs)
    parts = [
        _part(size, execution, columns)
        for size, (_, execution, columns) in zip(tables, PARTS, strict=True)
    ]
    shares, others = _shares(executions, parts)
    return Storage(
        at=at,
        engine=connection.vendor,
        space=space.measure(),
        sizes=sizes,
        shares=shares,
        others=others,
        sampled=any(table.rows > SAMPLE for table in tables),
        growth=_growth(at, sum(executions.values()), [*tables, ledger]),
        seconds=time.monotonic() - began,
    )


def _part(size: TableSize, execution: str, columns: Iterable[str]) -> dict[uuid.UUID, int]:
    """The bytes of a table, shared out to workflows by the rows of a sample."""
    weights = {_uuid(key): float(weight) for key, weight in _weights(size, execution, columns)}
    each = size.bytes / (sum(weights.values()) or 1)
    return {workflow: round(weight * each) for workflow, weight in weights.items()}


def _weights(size: TableSize, execution: str, columns: Iterable[str]) -> list[tuple[Any, Any]]:
    postgresql = connection.vendor == "postgresql"
    # The first is what is stored, and need not be read for it.
    length = "pg_column_size(t.{})" if postgresql else "length(CAST(t.{} AS BLOB))"
    weight = " + ".join([str(ROW_BYTES), *(length.format(column) for column in columns)])
    sample, where = "", ""
    values: list[float | str] = []
    if size.rows > SAMPLE and postgresql:
        sample, values = "TABLESAMPLE SYSTEM (%s) REPEATABLE (0)", [100 * SAMPLE / size.rows]
    elif size.rows > SAMPLE:
        where = "WHERE t.rowid IN (SELECT value FROM json_each(%s))"
        values = [str(_some_rows(size.table))]
    sql = (
        f"SELECT e.workflow_id, sum({weight}) FROM {size.table} t {sample} "  # noqa: S608 - ours
        f"JOIN workflows_execution e ON e.id = t.{execution} {where} GROUP BY e.workflow_id"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def _some_rows(table: str) -> list[int]:
    """Numbers of SQLite's rows; always the same ones, so that figures do not jump."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT min(rowid) FROM {table} UNION ALL SELECT max(rowid) FROM {table}")  # noqa: S608
        (first,), (last,) = cursor.fetchall()
    numbers = range(first, last + 1)
    return random.Random(0).sample(numbers, min(SAMPLE, len(numbers)))  # noqa: S311 - a sample


def _uuid(value: Any) -> uuid.UUID:
    return value if isinstance(value, uuid.UUID) else uuid.UUID(value)


def _shares(
    executions: dict[uuid.UUID, int], parts: list[dict[uuid.UUID, int]]
) -> tuple[list[Share], Share | None]:
    """Those of the workflows that take most, and what the others take together."""
    totals: Counter[uuid.UUID] = Counter(dict.fromkeys(executions, 0))
    for part in parts:
        totals.update(part)
    ordered = [pk for pk, _ in totals.most_common()]
    workflows = Workflow.objects.select_related("owner").in_bulk(ordered[:SHOWN])

    def share(workflow: Workflow | None, keys: list[uuid.UUID]) -> Share:
        count = sum(executions.get(pk, 0) for pk in keys)
        sums = [sum(part.get(pk, 0) for pk in keys) for part in parts]
        return Share(workflow, len(keys), count, *sums)

    shown = [share(workflows[pk], [pk]) for pk in ordered[:SHOWN] if pk in workflows]
    rest = ordered[SHOWN:]
    return shown, share(None, rest) if rest else None


def _growth(at: datetime, executions: int, tables: list[TableSize]) -> Growth:
    """From the rows that came lately; what a row takes is the mean of its table."""
    rows, since = Execution.objects.order_by("created_at"), at - timedelta(days=DAYS)
    oldest = rows.values_list("created_at", flat=True).first()
    lately = rows.filter(created_at__gte=since).count()
    calls = SpendEntry.objects.filter(pk__gte=first_id(since)).count()
    span = (at - oldest).total_seconds() / 86400 if oldest else 0
    days = min(DAYS, max(1.0, span))
    latest = rows.reverse()[:LATEST].aggregate(tasks=Avg("task_count"), events=Avg("last_sequence"))
    added = [lately, *(lately * (latest[name] or 0) for name in ("tasks", "events")), calls]
    # PostgreSQL guesses rows, and of a new table none.
    size = sum(
        n * table.bytes / max(table.rows, n, 1) for n, table in zip(added, tables, strict=True)
    )
    return Growth(executions, oldest, lately / days, round(size / days))
