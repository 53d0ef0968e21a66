"""Long texts, compressed where the database does not do it: prompts and answers on SQLite.

PostgreSQL compresses long values itself (TOAST). A SQLite column of texts holds a short text as it
is and a long one as a BLOB of zlib's bytes, so that rows from before are read as they are.
"""

import zlib
from typing import Any, Final

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

# Characters. Shorter texts fit into a page of SQLite's with the rest of their row.
LONG: Final = 2_000
# The fastest. Level 6 gains a tenth on prose and takes up to three times as long.
_LEVEL: Final = 1


def pack(text: str) -> str | bytes:
    """What SQLite is to hold: a text that is long and becomes shorter as compressed bytes."""
    if len(text) < LONG:
        return text
    plain = text.encode(errors="surrogatepass")
    packed = zlib.compress(plain, _LEVEL)
    return packed if len(packed) < len(plain) else text


def unpack(value: str | bytes) -> str:
    """The text of what `pack` made, or of a text that was never packed."""
    if isinstance(value, str):
        return value
    return zlib.decompress(value).decode(errors="surrogatepass")


class LongTextField(models.TextField[str, str]):
    """Text that is kept packed. No database can search in it, so no lookup looks inside."""

    def get_db_prep_value(
        self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> Any:
        """The value as the driver wants it."""
        value = super().get_db_prep_value(value, connection, prepared)
        packs = connection.vendor == "sqlite" and isinstance(value, str)
        return pack(value) if packs else value

    def from_db_value(
        self, value: str | bytes | None, expression: Any, connection: BaseDatabaseWrapper
    ) -> str | None:
        """The value as Python has it."""
        return None if value is None else unpack(value)

    def get_lookup(self, lookup_name: str) -> Any:
        """Equality and emptiness; else None, which Django refuses with a FieldError."""
        return super().get_lookup(lookup_name) if lookup_name in {"exact", "isnull"} else None
