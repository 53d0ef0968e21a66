"""CSV files that are made while they are sent, and that no spreadsheet takes for formulas."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Final

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import close_old_connections
from django.http import HttpRequest, StreamingHttpResponse

# How a formula begins in Excel, LibreOffice and Google Sheets.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Excel takes a file for UTF-8 only when it begins with this; every other reader skips it.
_BYTE_ORDER_MARK: Final = "\ufeff"

Rows = Iterable[Sequence[object]]


def cell(value: object) -> str:
    """The value as text, with an apostrophe before what a spreadsheet would run as a formula.

    Source: OWASP, CSV injection. Blanks before the sign count too: some programs trim them.
    """
    text = "" if value is None else str(value)
    begins = text.lstrip(" ")
    return f"'{text}" if text.startswith(_FORMULA) or begins.startswith(_FORMULA) else text


def encode(batches: Iterable[Rows], header: Sequence[str]) -> Iterator[bytes]:
    """The file, a piece for each batch: UTF-8 with a byte order mark, every cell in quotes."""
    yield (_BYTE_ORDER_MARK + _lines([header])).encode()
    for rows in batches:
        yield _lines(rows).encode(errors="replace")


def response(request: HttpRequest, pieces: Iterator[bytes], name: str) -> StreamingHttpResponse:
    """A download of these pieces: at no time is more than one of them in memory."""
    # Under ASGI Django would gather a plain iterator whole before it sends anything.
    content = _in_threads(pieces) if isinstance(request, ASGIRequest) else pieces
    return StreamingHttpResponse(
        content,
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


async def _in_threads(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (piece := await sync_to_async(_next)(pieces)) is not None:
        yield piece


def _next(pieces: Iterator[bytes]) -> bytes | None:
    try:
        return next(pieces, None)
    finally:
        # A client that reads slowly must not keep a connection from others.
        close_old_connections()


def _lines(rows: Rows) -> str:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(
        [cell(value) for value in row] for row in rows
    )
    return text.getvalue()
