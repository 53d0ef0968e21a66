"""Lists on pages: one page of rows at a time, and the address that says what they show."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django_htmx.http import push_url
from django_htmx.middleware import HtmxDetails

from hummbl.paging import NEWEST, BadCursor, Cursor, Order, read_slice

MAX_SEARCH = 200
PAGE_SIZE = 25

Row = TypeVar("Row", bound=Model)


class HtmxRequest(HttpRequest):
    """A request that may come from htmx, for annotations only."""

    htmx: HtmxDetails


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


def list_page(request: HtmxRequest, page: str, table: str, context: dict[str, Any]) -> HttpResponse:
    """The page with a list; an htmx request gets the table alone."""
    if request.htmx:
        return remember_filters(request, render(request, table, context))
    return render(request, page, context)


def remember_filters(request: HtmxRequest, response: HttpResponse) -> HttpResponse:
    """Make the address say what the list shows, without the fields that are empty.

    An address that does not change is not pushed again: it would take one more step back.
    """
    given = [(name, value) for name, values in request.GET.lists() for value in values if value]
    address = f"{request.path}?{urlencode(given)}" if given else request.path
    if request.htmx.current_url_abs_path != address:
        push_url(response, address)
    return response


def _text(cursor: Cursor | None) -> str | None:
    return cursor.encode() if cursor else None
