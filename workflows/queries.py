"""SQL that the ORM does not have."""

from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import DateField, F, Func, IntegerField
from django.db.models.sql.compiler import SQLCompiler


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


def database_size() -> int:
    """Bytes of the database, free pages included."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
        else:
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        return int(cursor.fetchone()[0])


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
