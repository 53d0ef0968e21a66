"""Rows of large answers, past the ORM, which would take most of the time for them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from django.db import connection
from django.db.backends.utils import CursorWrapper

# Rows that are held at once. Few: so many that live for a moment cost Python's memory nothing, and
# never have it look for garbage.
AT_ONCE: Final = 100


def read(sql: str, values: Sequence[Any] = ()) -> Iterator[Any]:
    """The rows of a statement, while they are read."""
    with _cursor() as cursor:
        cursor.execute(sql, values)
        while rows := cursor.fetchmany(AT_ONCE):
            yield from rows


@contextmanager
def _cursor() -> Iterator[CursorWrapper]:
    """A cursor to which PostgreSQL sends values as they are: sketches as text are twice as long,
    and take longer to read back than all else.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            from psycopg import Cursor

            # Django's own puts the parameters into the statement, which allows text only.
            cursor.cursor = Cursor(connection.connection)
            cursor.cursor.format = 1  # binary
        yield cursor
