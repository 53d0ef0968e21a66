"""Lists in pages. Long ones go on from the last row seen: no page costs more than the first."""

import uuid
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import Model, Q, QuerySet

PAGE_SIZE = 25

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Slice(Generic[Row]):
    """Rows, newest first. `next` is the id to go on before; None at the end."""

    rows: list[Row]
    next: uuid.UUID | None
    is_first: bool


def newest(queryset: QuerySet[Row], before: str) -> Slice[Row]:
    """A page of rows by their creation, from before the row of that id; else from the newest."""
    start = _uuid(before)
    mark = queryset.filter(pk=start).values_list("created_at", flat=True).first() if start else None
    if mark:
        queryset = queryset.filter(Q(created_at__lt=mark) | Q(created_at=mark, pk__lt=start))
    rows = list(queryset.order_by("-created_at", "-pk")[: PAGE_SIZE + 1])
    more = len(rows) > PAGE_SIZE
    rows = rows[:PAGE_SIZE]
    return Slice(rows, rows[-1].pk if more else None, mark is None)


def numbered(queryset: QuerySet[Any], number: str) -> Page[Any]:
    """A page by its number; the nearest one that exists."""
    return Paginator(queryset, PAGE_SIZE).get_page(number)


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
