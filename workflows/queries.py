"""SQL that the ORM does not have."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import DateField, F, Func, IntegerField
from django.db.models.expressions import RawSQL
from django.db.models.sql.compiler import SQLCompiler

from workflows.models.states import TERMINAL_STATUSES


class TaskCount(Func):
    """The number of tasks in a workflow's current document, counted where the document lies."""

    template = "JSON_ARRAY_LENGTH(%(expressions)s, '$.tasks')"
    output_field = IntegerField()

    def __init__(self, definition: str = "current_version__definition") -> None:
        super().__init__(F(definition))

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> tuple[str, Any]:
        """In PostgreSQL's words."""
        template = "json_array_length(%(expressions)s -> 'tasks')"
        return self.as_sql(compiler, connection, template=template, **extra)


def database_version() -> object:
    """Something that differs whenever another connection has committed a change since."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_current_snapshot()::text")
        else:
            cursor.execute("PRAGMA data_version")
        return cursor.fetchone()


def among(ids: Sequence[UUID]) -> RawSQL:
    """Ids for `pk__in`, however many, as one parameter: the driver takes long over a thousand."""
    if connection.vendor == "postgresql":
        sql = "SELECT value::uuid FROM json_array_elements_text(%s::json)"
    else:
        sql = "SELECT replace(value, '-', '') FROM json_each(%s)"
    return RawSQL(sql, [orjson.dumps(ids).decode()])  # noqa: S611 - nothing from outside in `sql`


def moved_executions(known: Mapping[UUID, int]) -> dict[UUID, tuple[int, str]]:
    """The last event's number and the status of executions that have more than the known events.

    Also of those that have ended; 0 and no status of those that are not there. Each is found by
    its key: the database compares, so that what has not moved costs nothing here.
    """
    is_postgres = connection.vendor == "postgresql"
    each = "jsonb_each_text(%s::jsonb)" if is_postgres else "json_each(%s)"
    key = "k.key::uuid" if is_postgres else "replace(k.key, '-', '')"
    value = "k.value::bigint" if is_postgres else "k.value"
    sql = (
        "SELECT k.key, COALESCE(e.last_sequence, 0), COALESCE(e.status, '') "  # noqa: S608
        f"FROM {each} k LEFT JOIN workflows_execution e ON e.id = {key} "
        f"WHERE e.id IS NULL OR e.last_sequence > {value} OR e.status IN (%s, %s, %s)"
    )
    # Spelt by orjson, with dashes: `UUID.hex` of a thousand took half the time of all this.
    numbers = orjson.dumps(dict(known), option=orjson.OPT_NON_STR_KEYS).decode()
    with connection.cursor() as cursor:
        cursor.execute(sql, [numbers, *TERMINAL_STATUSES])
        return {UUID(pk): (last, status) for pk, last, status in cursor.fetchall()}


class UtcDay(Func):
    """The day of a moment, in UTC; `TruncDate` calls Python for each row of SQLite."""

    template = "substr(%(expressions)s, 1, 10)"
    output_field = DateField()

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> tuple[str, Any]:
        """In PostgreSQL's words."""
        template = "(%(expressions)s AT TIME ZONE 'UTC')::date"
        return self.as_sql(compiler, connection, template=template, **extra)
