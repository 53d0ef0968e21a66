"""Answers that no mock would give, byte by byte, and what a call makes of them."""

import asyncio
import socketserver
import threading
from contextlib import contextmanager

import pytest

from tests.providers.conftest import ask
from workflows import providers
from workflows.providers import ProviderError


def failure(*requests) -> ProviderError:
    """What the last of some calls raises."""
    with pytest.raises(ProviderError) as caught:
        ask(*requests)
    return caught.value


def ask_server(answer: bytes, make_request, provider="openai", *, on_delta=None, **changes):
    """Ask a server that always gives `answer`.

    Returns the completion, or the ProviderError, and the heads of the requests.
    """
    heads = []

    async def handle(reader, writer):
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        writer.close()

    async def run():
        async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            request = make_request(provider, base_url=f"http://127.0.0.1:{port}/v1", **changes)
            try:
                return await providers.complete(request, on_delta)
            finally:
                await providers.close()

    try:
        return asyncio.run(run()), heads
    except ProviderError as error:
        return error, heads


def response(body: str = "{}", status: str = "200 OK", **headers: str) -> bytes:
    """An HTTP response with a whole body."""
    fields = {"Content-Length": str(len(body.encode())), "Connection": "close", **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", body]).encode()


def stream(*chunks: str) -> bytes:
    """A stream of the OpenAI protocol, made of the given JSON chunks."""
    return _events(f"data: {chunk}\n\n" for chunk in chunks)


def chunk(text: str, finish: str = "null") -> str:
    """A piece of an answer; ``text`` as it stands within a JSON string."""
    return (
        '{"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":'
        f'[{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":{finish}}}]}}'
    )


def openai_stream(*pieces: str) -> bytes:
    """A whole answer in the OpenAI protocol."""
    usage = '{"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],'
    usage += '"usage":{"prompt_tokens":9,"completion_tokens":9,"total_tokens":18}}'
    return stream(*map(chunk, pieces), chunk("", '"stop"'), usage, "[DONE]")


def anthropic_stream(*pieces: str, usage: str = '"input_tokens":9') -> bytes:
    """A whole answer in the Anthropic protocol; ``usage`` is what its start reports."""
    start = (
        '{"type":"message_start","message":{"id":"1","type":"message","role":"assistant",'
        '"content":[],"model":"m","stop_reason":null,"stop_sequence":null,'
        f'"usage":{{{usage},"output_tokens":1}}}}}}'
    )
    block = '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}'
    deltas = [
        '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta",'
        f'"text":"{piece}"}}}}'
        for piece in pieces
    ]
    stop = '{"type":"content_block_stop","index":0}'
    end = '{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},'
    end += '"usage":{"output_tokens":9}}'
    events = [start, block, *deltas, stop, end, '{"type":"message_stop"}']
    named = [(event.split('"')[3], event) for event in events]
    return _events(f"event: {name}\ndata: {event}\n\n" for name, event in named)


def _events(events) -> bytes:
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    return (head + "".join(events)).encode()


STREAMS = {"openai": openai_stream, "custom": openai_stream, "anthropic": anthropic_stream}


@contextmanager
def serving(answer: bytes):
    """A server in a thread that always gives `answer`; its address, and the heads it was sent."""
    heads = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            heads.append(self.request.recv(65536))
            self.request.sendall(answer)

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1", heads
        finally:
            server.shutdown()
            thread.join()
