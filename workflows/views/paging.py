"""Lists in pages. Long ones go on from the last row seen: no page costs more than the first."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet

from hummbl.paging import NEWEST, BadCursor, Cursor, Order, read_slice

PAGE_SIZE = 25

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Slice(Generic[Row]):
    """Rows, and what `?cursor=` says for the pages after and before them; None at an end."""

    rows: list[Row]
    next: str | None
    previous: str | None


def sliced(queryset: QuerySet[Row], cursor: str, order: Order = NEWEST) -> Slice[Row]:
    """The page that the cursor leads to; the first one when it leads nowhere."""
    try:
        start = Cursor.decode(cursor, order) if cursor else None
    except BadCursor:
        start = None
    page = read_slice(queryset, start, PAGE_SIZE, order)
    if start and page.previous is None:
        # At the beginning again, or beyond either end: whole first page, rather than some rows.
        page = read_slice(queryset, None, PAGE_SIZE, order)
    return Slice(page.rows, _text(page.next), _text(page.previous))


def _text(cursor: Cursor | None) -> str | None:
    return cursor.encode() if cursor else None
