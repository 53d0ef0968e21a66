"""The bound on bodies in front of Django."""

import asyncio

import pytest

from hummbl.body import BodyLimit


def serve(headers, *messages, limit=10):
    """What the application behind the bound is given: its headers and all of its messages."""
    seen = {}
    pending = list(messages)

    async def receive():
        return pending.pop(0) if pending else {"type": "http.disconnect"}

    async def application(scope, receive, send):
        seen["headers"] = dict(scope["headers"])
        seen["messages"] = []
        while not seen["messages"] or seen["messages"][-1]["type"] != "http.disconnect":
            seen["messages"].append(await receive())

    scope = {"type": "http", "headers": [(b"host", b"x"), *headers]}
    asyncio.run(BodyLimit(application, limit)(scope, receive, None))
    return seen


def part(body, more=False):
    return {"type": "http.request", "body": body, "more_body": more}


def bodies(seen):
    return [message["body"] for message in seen["messages"][:-1]]


def test_a_body_with_a_length_passes_as_it_comes():
    seen = serve([(b"content-length", b"10")], part(b"01234", more=True), part(b"56789"))

    assert bodies(seen) == [b"01234", b"56789"]


@pytest.mark.parametrize("length", [b"11", b"9" * 30])
def test_a_body_that_is_too_long_is_withheld_and_its_length_told(length):
    seen = serve([(b"content-length", length)], part(b"0" * 11))

    assert bodies(seen) == [b""]
    assert seen["headers"][b"content-length"] == length


def test_chunks_are_gathered_and_given_a_length():
    seen = serve([(b"transfer-encoding", b"chunked")], part(b"012", more=True), part(b"345"))

    assert bodies(seen) == [b"012345"]
    assert seen["headers"] == {b"host": b"x", b"content-length": b"6"}


def test_chunks_that_never_end_are_not_gathered_for_ever():
    endless = [part(b"0123", more=True) for _ in range(100)]

    seen = serve([(b"transfer-encoding", b"chunked")], *endless)

    assert bodies(seen) == [b""]
    assert int(seen["headers"][b"content-length"]) == 12


def test_a_client_who_leaves_half_way_sent_nothing():
    seen = serve([(b"transfer-encoding", b"chunked")], part(b'{"a":', more=True))

    assert seen["messages"] == [{"type": "http.disconnect"}]


def test_no_body():
    assert bodies(serve([], part(b""))) == [b""]
