"""The rows of a table as an archive has them: read through the ORM's fields, and written back.

Both ways go through the fields, which know how either database keeps a value: what was written on
one is read on the other.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection
from django.db.models import Field, JSONField, Model, QuerySet

from hummbl import encryption
from hummbl.backup.archive import Row
from hummbl.models import Encrypted

BATCH: Final = 500


class Table:
    """A table by its model, which may be one of an older schema."""

    def __init__(self, model: type[Model]) -> None:
        self.model = model
        self.name = model._meta.label_lower  # noqa: SLF001 - a public name
        self.fields: dict[str, Field[Any, Any]] = {
            field.attname: field
            for field in model._meta.concrete_fields  # noqa: SLF001
            if not field.generated
        }

    def batches(self) -> Iterator[list[Sequence[Any]]]:
        """All rows in the order of their keys, so many at a time."""
        # Not a manager of the model's, which might leave rows out.
        rows: Any = QuerySet(self.model).order_by("pk").values_list(*self.fields)
        found = rows.iterator(chunk_size=BATCH)
        while batch := list(islice(found, BATCH)):
            yield batch

    def insert(self, columns: list[str], rows: Iterable[Row]) -> None:
        """Write rows whose values are in the order of `columns`. Raises KeyError for another."""
        fields = [self.fields[name] for name in columns]
        prepared = (
            [_stored(field, value) for field, value in zip(fields, row, strict=True)]
            for row in rows
        )
        quote = connection.ops.quote_name
        table = quote(self.model._meta.db_table)  # noqa: SLF001
        names = ", ".join(quote(str(field.column)) for field in fields)
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                copying = cursor.copy(f"COPY {table} ({names}) FROM STDIN")
                with connection.wrap_database_errors, copying as copy:
                    for row in prepared:
                        copy.write_row(row)
            else:
                marks = ", ".join(["%s"] * len(fields))
                # Names are quoted, and values are parameters.
                sql = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
                while batch := list(islice(prepared, BATCH)):
                    cursor.executemany(sql, batch)

    def encryption_keys(self) -> Iterator[str]:
        """The id of the key of each secret in it."""
        for name, field in self.fields.items():
            if name in _encrypted().get(self.name, ()):
                rows: Any = QuerySet(self.model).values_list(field.attname, flat=True)
                yield from (encryption.key_id_of(blob) for blob in rows.iterator() if blob)


def _encrypted() -> dict[str, tuple[str, ...]]:
    """The columns with secrets, by the name of their table."""
    return {
        model._meta.label_lower: model.encrypted_columns  # noqa: SLF001
        for model in apps.get_models()
        if issubclass(model, Encrypted)
    }


def existing(models: Iterable[type[Model]]) -> list[str]:
    """The tables of these models that are in the database, each once."""
    there = set(connection.introspection.table_names())
    return sorted(there & {model._meta.db_table for model in models})  # noqa: SLF001


def has_rows(table: str, *, beyond: int = 0) -> bool:
    """Whether there are more rows than that in the table."""
    with connection.cursor() as cursor:
        name = connection.ops.quote_name(table)
        cursor.execute(f"SELECT 1 FROM {name} LIMIT 1 OFFSET %s", [beyond])  # noqa: S608
        return cursor.fetchone() is not None


def empty(tables: Iterable[str]) -> None:
    """Delete all rows of all of these tables."""
    names = [connection.ops.quote_name(table) for table in tables]
    if not names:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"TRUNCATE {', '.join(names)}")
        else:
            for name in names:
                cursor.execute(f"DELETE FROM {name}")  # noqa: S608


def check_references_at_the_end() -> None:
    """Let rows come before those that they refer to; SQLite does so in every transaction."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # Migrations in the same transaction leave it otherwise.
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def reset_sequences(models: Iterable[type[Model]]) -> None:
    """Let numbered keys go on after the highest there is."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(models)):
            cursor.execute(statement)


def _stored(field: Field[Any, Any], value: Any) -> Any:
    """What the driver is given for a value of an archive."""
    if value is None and isinstance(field, JSONField) and not field.null:
        return field.get_db_prep_value(None, connection)
    return field.get_db_prep_save(field.to_python(value), connection)
