"""SQL that the ORM does not have."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Func, IntegerField
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
