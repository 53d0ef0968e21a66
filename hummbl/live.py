"""Answers that last for hours. Django decides on them, and has ended the request when they begin.

Its threads, its database connection and the request itself would else be held for each of them.
"""

import asyncio
import resource
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any, Final, cast

from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from hummbl.body import Message, Receive, Scope, Send
from hummbl.errors import AppError

# Requests to such addresses are decided on a few at a time: when a thousand clients come back at
# once, the pages of everyone else still find a thread and a connection.
SUFFIX: Final = "/stream"
AT_ONCE: Final = 4
# Live responses of one process, and the files and connections that are kept for everything else.
MOST: Final = 10_000
RESERVED: Final = 240
RETRY_AFTER: Final = 30  # seconds
_PIECES: Final = "hummbl.pieces"

_open: set[asyncio.Task[None]] = set()
_ending = asyncio.Event()


class Full(AppError):
    """This process has as many live responses as it can bear."""

    status = 503
    code = "too_many_streams"

    def __init__(self) -> None:
        super().__init__(
            f"Too many streams are open. Try again in {RETRY_AFTER} seconds.",
            details={"retry_after": RETRY_AFTER},
            headers={"Retry-After": str(RETRY_AFTER)},
        )


class LiveResponse(StreamingHttpResponse):
    """What is sent piece by piece for as long as the client stays."""

    def __init__(self, pieces: AsyncGenerator[bytes], **options: Any) -> None:
        super().__init__(pieces, **options)
        self._pieces = pieces

    def hand_over(self) -> AsyncGenerator[bytes]:
        """The pieces, for somebody else to send: none are left in the response."""
        self.streaming_content = _nothing()
        return self._pieces


class Handler(ASGIHandler):
    """Django's, which sends a LiveResponse once Django has finished the request."""

    def __init__(self) -> None:
        super().__init__()
        self._entrance = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_until_handed_over(message: Message) -> None:
            if _PIECES not in scope or message["type"] == "http.response.start":
                await send(message)

        await super().__call__(scope, receive, send_until_handed_over)
        if pieces := scope.pop(_PIECES, None):
            await _send_while_there(pieces, receive, send)

    async def run_get_response(self, request: HttpRequest) -> HttpResponseBase:
        """The response; the pieces of a live one are left in the scope."""
        if not request.path.endswith(SUFFIX):
            return await super().run_get_response(request)
        async with self._entrance:
            response = await super().run_get_response(request)
        if isinstance(response, LiveResponse):
            pieces = response.hand_over()
            is_empty = request.method == "HEAD" or _ending.is_set()
            scope: Scope = cast("Any", request).scope
            scope[_PIECES] = _nothing() if is_empty else pieces
        return response


def require_room() -> None:
    """Raises Full where one more would leave too little for pages."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if len(_open) >= min(MOST, files - RESERVED):
        raise Full


def end_all() -> None:
    """End every live response of this process, for good but properly: clients will ask again."""
    _ending.set()
    while _open:
        _open.pop().cancel()


async def _send_while_there(pieces: AsyncGenerator[bytes], receive: Receive, send: Send) -> None:
    sending = asyncio.create_task(_send(pieces, send))
    _open.add(sending)
    sending.add_done_callback(_open.discard)
    try:
        # It comes when the client leaves, and when all is sent.
        while (await receive())["type"] != "http.disconnect":
            pass
    finally:
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending


async def _send(pieces: AsyncGenerator[bytes], send: Send) -> None:
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
    finally:
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _nothing() -> AsyncGenerator[bytes]:
    return
    yield
