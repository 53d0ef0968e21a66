"""Times of the engine, which go as text into many rows and events."""

from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Self


class Moment(datetime):
    """A time in UTC that knows its texts: one is written into many rows and events."""

    @classmethod
    def of(cls, value: Any) -> Self | None:
        """The moment of what a database driver gave back, if it is one."""
        return None if value is None else cls.read(value)

    @classmethod
    def read(cls, value: Any) -> Self:
        """The moment of what a database driver gave back."""
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        aware = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
        return cls.combine(aware.date(), aware.timetz())

    @cached_property
    def sql(self) -> str:
        """In the form in which Django stores a time in SQLite and PostgreSQL reads one."""
        return self.isoformat(" ")[:-6]

    @cached_property
    def iso(self) -> str:
        """In the form of the API."""
        return self.isoformat()[:-6] + "Z"
