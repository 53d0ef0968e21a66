"""Lists by cursor: stable while rows are added and removed, and as fast on page 1,000 as on 1."""

import base64
import binascii
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Model, Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

DEFAULT_LIMIT = 50
MAX_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Cursor:
    """The row beside which a page begins, and whether the page lies before it."""

    created_at: datetime
    id: uuid.UUID
    backwards: bool = False

    def encode(self) -> str:
        """As text for a URL."""
        direction = "p" if self.backwards else "n"
        text = f"{direction}|{self.created_at.isoformat()}|{self.id}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        """From the text of `encode`. Raises ValidationError."""
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
            direction, created_at, pk = raw.split("|")
            when = datetime.fromisoformat(created_at)
            if direction not in {"n", "p"} or when.tzinfo is None:
                raise ValueError
            return cls(when.astimezone(UTC), uuid.UUID(pk), direction == "p")
        except (ValueError, OverflowError, binascii.Error) as error:
            message = "This is no cursor. Follow the next and previous addresses of a list."
            raise ValidationError({"cursor": [message]}, code="invalid_cursor") from error


class CursorPagination(BasePagination):
    """`{"results": […], "next": url|null, "previous": url|null}`, newest first.

    Rows are ordered by creation, ties by id, so that none is skipped or shown twice.
    """

    def __init__(self) -> None:
        self.next: str | None = None
        self.previous: str | None = None

    def paginate_queryset(  # type: ignore[override]
        self, queryset: QuerySet[Any], request: Request, view: APIView | None = None
    ) -> list[Any]:
        """The rows of the page that `?cursor=` and `?limit=` ask for. Raises ValidationError."""
        limit = _limit(request)
        text = request.query_params.get("cursor", "")
        cursor = Cursor.decode(text) if text else None
        rows, more = _fetch(queryset, cursor, limit)
        backwards = cursor is not None and cursor.backwards
        url = request.build_absolute_uri()
        self.next = self.previous = None
        if rows and (more or backwards):
            self.next = _link(url, rows[-1], backwards=False)
        if rows and (more if backwards else cursor is not None):
            self.previous = _link(url, rows[0], backwards=True)
        if not rows and cursor is not None:
            # Past the end: the way back is the list's beginning.
            self.previous = remove_query_param(url, "cursor")
        return rows

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


def _fetch(queryset: QuerySet[Any], cursor: Cursor | None, limit: int) -> tuple[list[Any], bool]:
    """At most `limit` rows, newest first, and whether more lie in the direction of the cursor."""
    if cursor is None:
        found = list(queryset.order_by("-created_at", "-id")[: limit + 1])
    elif cursor.backwards:
        newer = Q(created_at__gt=cursor.created_at) | Q(
            created_at=cursor.created_at, id__gt=cursor.id
        )
        found = list(queryset.filter(newer).order_by("created_at", "id")[: limit + 1])
    else:
        older = Q(created_at__lt=cursor.created_at) | Q(
            created_at=cursor.created_at, id__lt=cursor.id
        )
        found = list(queryset.filter(older).order_by("-created_at", "-id")[: limit + 1])
    rows, more = found[:limit], len(found) > limit
    return (rows[::-1] if cursor is not None and cursor.backwards else rows), more


def _link(url: str, row: Model | Sequence[Any] | dict[str, Any], *, backwards: bool) -> str:
    created_at = row["created_at"] if isinstance(row, dict) else row.created_at  # type: ignore[union-attr]
    pk = row["id"] if isinstance(row, dict) else row.pk  # type: ignore[union-attr]
    return replace_query_param(url, "cursor", Cursor(created_at, pk, backwards).encode())
