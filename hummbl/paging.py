"""Lists in pages by cursor: stable while rows come and go, and as fast on page 1,000 as on 1."""

import base64
import binascii
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.db.models import Q, QuerySet

Row = TypeVar("Row")


class BadCursor(ValueError):
    """A text that no cursor was written as."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is sorted by; ties go by id, in the same direction.

    `column` is a field or an annotation that is never null: a moment, or else text.
    """

    column: str = "created_at"
    descending: bool = True
    is_text: bool = False


NEWEST = Order()


@dataclass(frozen=True, slots=True)
class Cursor:
    """The row beside which a page begins, by its sort value and id.

    The page lies after the row, or before it when `backwards`.
    """

    value: datetime | str
    id: uuid.UUID
    backwards: bool = False

    def encode(self) -> str:
        """As text for a URL."""
        value = self.value.isoformat() if isinstance(self.value, datetime) else self.value
        text = f"{'p' if self.backwards else 'n'}|{value}|{self.id}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, order: Order = NEWEST) -> "Cursor":
        """From the text of `encode`. Raises BadCursor."""
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
            direction, _, rest = raw.partition("|")
            value, _, pk = rest.rpartition("|")
            if direction not in {"n", "p"} or "\0" in value:
                raise BadCursor
            return cls(value if order.is_text else _moment(value), uuid.UUID(pk), direction == "p")
        except (ValueError, OverflowError, binascii.Error) as error:
            raise BadCursor from error


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise BadCursor
    return moment.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Slice(Generic[Row]):
    """The rows of a page, and the cursors of the pages after and before it, if there are any."""

    rows: list[Row]
    next: Cursor | None
    previous: Cursor | None


def read_slice(
    queryset: QuerySet[Any, Row], cursor: Cursor | None, limit: int, order: Order = NEWEST
) -> Slice[Row]:
    """At most `limit` rows from the cursor on, without a cursor the first ones; one query.

    The rows are instances or dictionaries that hold the column of the order, and the id.
    """
    backwards = cursor is not None and cursor.backwards
    if cursor:
        queryset = queryset.filter(_beyond(cursor, order))
    sign = "-" if order.descending != backwards else ""
    rows = list(queryset.order_by(f"{sign}{order.column}", f"{sign}id")[: limit + 1])
    more, rows = len(rows) > limit, rows[:limit]
    if not rows:
        return Slice(rows, None, None)
    if backwards:
        rows.reverse()
    has_next, has_previous = more or backwards, more if backwards else cursor is not None
    return Slice(
        rows,
        _beside(rows[-1], order) if has_next else None,
        _beside(rows[0], order, backwards=True) if has_previous else None,
    )


def _beyond(cursor: Cursor, order: Order) -> Q:
    """The rows on the cursor's far side.

    The first condition says nothing that the second does not; it is the one that an index answers.
    """
    less = order.descending != cursor.backwards
    up_to, past = ("lte", "lt") if less else ("gte", "gt")
    column, value = order.column, cursor.value
    return Q(**{f"{column}__{up_to}": value}) & (
        Q(**{f"{column}__{past}": value}) | Q(**{f"id__{past}": cursor.id})
    )


def _beside(row: Any, order: Order, *, backwards: bool = False) -> Cursor:
    if isinstance(row, dict):
        return Cursor(row[order.column], row["id"], backwards)
    return Cursor(getattr(row, order.column), row.pk, backwards)
