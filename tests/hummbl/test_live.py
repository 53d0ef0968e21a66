"""Answers that last: decided on a few at a time, and sent after Django has finished the request."""

import asyncio
from functools import wraps

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_finished
from django.http import HttpResponse

from hummbl import live


def in_a_loop(function):
    """A test that is a coroutine."""

    @wraps(function)
    def test(**fixtures):
        asyncio.run(function(**fixtures))

    return test


class Connection:
    """A client's side of the ASGI server; `sent` is what it has got."""

    def __init__(self, path, method="GET"):
        self.scope = {"type": "http", "method": method, "path": path, "headers": []}
        self.left = asyncio.Event()
        self.sent = []
        self._begun = False

    async def serve(self, handler):
        await handler(self.scope, self._receive, self._send)

    async def _receive(self):
        if not self._begun:
            self._begun = True
            return {"type": "http.request", "body": b""}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        self.sent.append(message.get("body", message["type"]))
        if not message.get("more_body", True):
            self.left.set()


@pytest.fixture
def decide(monkeypatch):
    """`decide(function)` stands for all that Django does with a request."""

    def decide(function):
        async def run_get_response(_handler, request):
            return await function(request)

        monkeypatch.setattr(ASGIHandler, "run_get_response", run_get_response)

    return decide


@in_a_loop
async def test_a_crowd_of_streams_leaves_room_for_pages(decide):
    """They are decided on a few at a time; a page does not queue behind them."""
    inside, most = 0, 0
    may_go = asyncio.Event()

    async def slow(request):
        nonlocal inside, most
        if request.path == "/page":
            return HttpResponse(b"page")
        inside += 1
        most = max(most, inside)
        await may_go.wait()
        inside -= 1
        return HttpResponse(b"no")

    decide(slow)
    handler = live.Handler()
    crowd = [Connection("/a/stream") for _ in range(20)]
    served = asyncio.gather(*(each.serve(handler) for each in crowd))
    page = Connection("/page")
    await page.serve(handler)
    assert page.sent == ["http.response.start", b"page"]
    assert not any(each.sent for each in crowd)
    may_go.set()
    await served
    assert [each.sent for each in crowd] == [["http.response.start", b"no"]] * 20
    assert most == live.AT_ONCE


@in_a_loop
async def test_django_has_finished_before_the_first_piece(decide):
    seen = []

    async def pieces():
        seen.append("piece")
        yield b"one"
        yield b"two"

    async def view(request):
        return live.LiveResponse(pieces())

    def on_finished(**_):
        seen.append("finished")

    request_finished.connect(on_finished)
    decide(view)
    connection = Connection("/a/stream")
    await connection.serve(live.Handler())
    request_finished.disconnect(on_finished)

    assert seen == ["finished", "piece"]
    assert connection.sent == ["http.response.start", b"one", b"two", b""]


@in_a_loop
async def test_who_leaves_ends_the_pieces(decide):
    begun, ended = asyncio.Event(), []

    async def pieces():
        try:
            yield b"one"
            begun.set()
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def view(request):
        return live.LiveResponse(pieces())

    decide(view)
    connection = Connection("/a/stream")
    serving = asyncio.create_task(connection.serve(live.Handler()))
    await begun.wait()
    assert not ended
    connection.left.set()
    await serving
    assert ended


@in_a_loop
async def test_an_error_in_the_pieces_ends_the_answer_and_is_told(decide):
    async def pieces():
        yield b"one"
        raise ZeroDivisionError

    async def view(request):
        return live.LiveResponse(pieces())

    decide(view)
    connection = Connection("/a/stream")
    with pytest.raises(ZeroDivisionError):
        await connection.serve(live.Handler())
    assert connection.sent == ["http.response.start", b"one", b""]
