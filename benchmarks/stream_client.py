"""Many readers of event streams in one process: `python -m benchmarks.stream_client PORT`.

stdin has a JSON list of `[execution, token]`, one for each stream. When all are open the process
says `ready`; once stdin closes it prints when each event came: `[stream, number, moment]`, in a
JSON list. Moments are of the clock that all processes of a machine share.
"""

import asyncio
import json
import re
import sys
import time

CONNECTING = 64
_NUMBER = re.compile(rb"^id: (\d+)$", re.MULTILINE)

Arrival = tuple[int, int, float]


class Stream(asyncio.Protocol):
    """One stream; `opened` is set by its first event, later ones go to `arrivals`."""

    def __init__(self, number: int, request: bytes, arrivals: list[Arrival]) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._number, self._request, self._arrivals = number, request, arrivals
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        moment = time.monotonic()
        *lines, self._rest = (self._rest + data).split(b"\n")
        numbers = _NUMBER.findall(b"\n".join(lines))
        if not self.opened.done():
            if numbers:
                self.opened.set_result(None)
            elif lines and b" 200 " not in lines[0] and lines[0].startswith(b"HTTP/"):
                self.opened.set_exception(ConnectionError(data.decode(errors="replace")))
            return
        self._arrivals += [(self._number, int(found), moment) for found in numbers]

    def connection_lost(self, error: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(error or ConnectionError("The server closed the stream."))


async def read(port: int, streams: list[tuple[str, str]]) -> list[Arrival]:
    """Open all, say so, and gather what comes until stdin closes."""
    loop = asyncio.get_running_loop()
    arrivals: list[Arrival] = []
    few = asyncio.Semaphore(CONNECTING)

    async def open_one(number: int, execution: str, token: str) -> None:
        request = (
            f"GET /api/executions/{execution}/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Authorization: Bearer {token}\r\n\r\n"
        ).encode()
        async with few:
            _, stream = await loop.create_connection(
                lambda: Stream(number, request, arrivals), "127.0.0.1", port
            )
            await stream.opened

    await asyncio.gather(*(open_one(number, *stream) for number, stream in enumerate(streams)))
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    return arrivals


def main() -> None:
    """Read until told to stop."""
    streams = json.loads(sys.stdin.readline())
    print(json.dumps(asyncio.run(read(int(sys.argv[1]), streams))))


if __name__ == "__main__":
    main()
