"""Lists of the API: `?limit=` rows from `?cursor=` on, with the addresses of both neighbours."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

from hummbl.paging import NEWEST, BadCursor, Cursor, Order, read_slice

DEFAULT_LIMIT = 50
MAX_LIMIT = 100


class CursorPagination(BasePagination):
    """`{"results": […], "next": url|null, "previous": url|null}`, newest first.

    Rows are ordered by creation, or by what a subclass says; ties by id, so that none is skipped
    or shown twice.
    """

    order = NEWEST

    def __init__(self) -> None:
        self.next: str | None = None
        self.previous: str | None = None

    def paginate_queryset(  # type: ignore[override]
        self, queryset: QuerySet[Any], request: Request, view: APIView | None = None
    ) -> list[Any]:
        """The rows of the page that `?cursor=` and `?limit=` ask for. Raises ValidationError."""
        limit, cursor = _limit(request), _cursor(request, self.order)
        page = read_slice(queryset, cursor, limit, self.order)
        url = request.build_absolute_uri()
        self.next, self.previous = _link(url, page.next), _link(url, page.previous)
        if not page.rows and cursor is not None:
            # Past the end: the way back is the list's beginning.
            self.previous = remove_query_param(url, "cursor")
        return page.rows

    def get_paginated_response(self, data: Any) -> Response:
        """The page as it is sent."""
        return Response({"results": data, "next": self.next, "previous": self.previous})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The page as OpenAPI describes it."""
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": link, "previous": link},
        }

    def get_schema_operation_parameters(self, _view: APIView) -> list[dict[str, Any]]:
        """The query parameters as OpenAPI describes them."""
        limits = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
        return [
            {
                "name": "limit",
                "in": "query",
                "required": False,
                "description": "How many rows a page has at most.",
                "schema": limits,
            },
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "Where the page begins: part of the next and previous addresses.",
                "schema": {"type": "string"},
            },
        ]


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", "")
    if not text:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= MAX_LIMIT):
        message = f"The limit is a whole number from 1 to {MAX_LIMIT}."
        raise ValidationError({"limit": [message]}, code="invalid_limit")
    return int(text)


def _cursor(request: Request, order: Order) -> Cursor | None:
    text = request.query_params.get("cursor", "")
    if not text:
        return None
    try:
        return Cursor.decode(text, order)
    except BadCursor as error:
        message = "This is no cursor. Follow the next and previous addresses of a list."
        raise ValidationError({"cursor": [message]}, code="invalid_cursor") from error


def _link(url: str, cursor: Cursor | None) -> str | None:
    return replace_query_param(url, "cursor", cursor.encode()) if cursor else None
