"""How much of the database each table takes.

PostgreSQL knows sizes and guesses rows, from its statistics. SQLite counts rows, and knows sizes
where it was built with `dbstat`, which reads the whole file; elsewhere they are estimated.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from hummbl import space

# Rows whose length stands for all the others' where SQLite does not tell.
LOOKED_AT: Final = 500

_POSTGRESQL: Final = """
    SELECT c.relname,
        pg_table_size(c.oid) - coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0),
        pg_indexes_size(c.oid),
        coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0),
        greatest(c.reltuples, s.n_live_tup, 0)::bigint
    FROM pg_class c LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
    WHERE c.relkind IN ('r', 'm') AND c.relnamespace = current_schema()::regnamespace
"""
_SQLITE: Final = """
    SELECT m.tbl_name, sum(iif(s.name = m.tbl_name, s.pgsize, 0)),
        sum(iif(s.name = m.tbl_name, 0, s.pgsize))
    FROM dbstat s JOIN sqlite_master m ON m.name = s.name WHERE s.aggregate = 1 GROUP BY m.tbl_name
"""
_HAS_DBSTAT: Final = (
    "SELECT count(*) FROM pragma_compile_options WHERE compile_options = 'ENABLE_DBSTAT_VTAB'"
)
_COLUMNS: Final = """
    SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c
    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
"""


@dataclass(frozen=True, slots=True)
class TableSize:
    """Bytes of a table: its rows, its indexes and, on PostgreSQL, long values kept apart."""

    table: str
    row_bytes: int
    index_bytes: int
    toast_bytes: int
    rows: int

    @property
    def bytes(self) -> int:
        """All of it."""
        return self.row_bytes + self.index_bytes + self.toast_bytes


@dataclass(frozen=True, slots=True)
class TableSizes:
    """All tables, the largest first, and whether these are sizes and counts or estimates."""

    tables: list[TableSize]
    sizes_exact: bool
    rows_exact: bool


def measure() -> TableSizes:
    """What there is now. The time it takes grows with a SQLite file."""
    if connection.vendor == "postgresql":
        tables = [TableSize(*row) for row in _fetch(_POSTGRESQL)]
        return TableSizes(_sorted(tables), sizes_exact=True, rows_exact=False)
    exact = bool(_fetch(_HAS_DBSTAT)[0][0])
    return TableSizes(_sorted(_known() if exact else _guessed()), exact, rows_exact=True)


def _known() -> list[TableSize]:
    found = {name: (own, indexes) for name, own, indexes in _fetch(_SQLITE)}
    rows = {name: count for name, count, _ in _counts(dict.fromkeys(found, ()))}
    return [TableSize(name, *found[name], 0, rows[name]) for name in found]


def _guessed() -> list[TableSize]:
    """What is in use, shared out by the number of rows and the length of some; with indexes."""
    columns: dict[str, list[str]] = defaultdict(list)
    for table, column in _fetch(_COLUMNS):
        columns[table].append(column)
    counts = _counts(columns)
    weights = {name: rows * length for name, rows, length in counts}
    there = space.measure()
    each = (there.data - there.free) / (sum(weights.values()) or 1)
    return [TableSize(name, round(weights[name] * each), 0, 0, rows) for name, rows, _ in counts]


def _counts(columns: dict[str, Any]) -> list[tuple[str, int, float]]:
    """Of each table its name, its rows and the mean length of these columns; one statement."""
    quote = connection.ops.quote_name
    parts = []
    for table, names in columns.items():
        lengths = [f"ifnull(length(CAST({quote(name)} AS BLOB)), 0)" for name in names]
        some = f"(SELECT * FROM {quote(table)} LIMIT {LOOKED_AT})"  # noqa: S608 - quoted
        mean = f"(SELECT avg({' + '.join(lengths)}) FROM {some})" if lengths else "0"  # noqa: S608
        name = table.replace("'", "''")
        parts.append(f"SELECT '{name}', count(*), ifnull({mean}, 0) FROM {quote(table)}")  # noqa: S608
    return [(name, rows, length) for name, rows, length in _fetch(" UNION ALL ".join(parts))]


def _sorted(tables: Iterable[TableSize]) -> list[TableSize]:
    return sorted(tables, key=lambda table: (-table.bytes, table.table))


def _fetch(sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())
