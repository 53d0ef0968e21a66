"""A bound on request bodies in front of Django, which would first spool any of them to disk."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class BodyLimit:
    """ASGI middleware that withholds a body of more than `limit` bytes.

    Django then sees its length alone, and refuses it with 413 in its own words. A body that comes
    in chunks, without a length, is gathered and given one: REST framework would take it for none.
    """

    def __init__(self, application: Application, limit: int) -> None:
        self.application = application
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            scope, receive = await self._bounded(scope, receive)
        await self.application(scope, receive, send)

    async def _bounded(self, scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
        headers = dict(scope["headers"])
        if b"transfer-encoding" in headers:
            body = await self._gather(receive)
            if body is None:
                return scope, _gone
            return _with_length(scope, len(body)), _replay(self._or_nothing(body), receive)
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self.limit:
            return scope, _replay(b"", receive)
        return scope, receive

    async def _gather(self, receive: Receive) -> bytes | None:
        """The body, or the first bytes of it that are too many; None when the client left."""
        body, more = bytearray(), True
        while more and len(body) <= self.limit:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
        return bytes(body)

    def _or_nothing(self, body: bytes) -> bytes:
        return body if len(body) <= self.limit else b""


def _with_length(scope: Scope, length: int) -> Scope:
    framing = {b"transfer-encoding", b"content-length"}
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    kept = [(name, value) for name, value in headers if name not in framing]
    return {**scope, "headers": [*kept, (b"content-length", str(length).encode())]}


async def _gone() -> Message:
    return {"type": "http.disconnect"}


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give the body at once, then whatever else happens: the client's leaving."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        if waiting:
            return waiting.pop()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return message

    return replayed
