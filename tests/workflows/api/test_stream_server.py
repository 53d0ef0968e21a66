"""Event streams of a real server: many at once, slow clients, the end of the process."""

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings

from accounts.models import Session
from tests import network
from tests.factories import make_execution, make_workflow
from tests.processes import PATIENCE, environment, free_port, wait_for
from workflows.models import Execution, ExecutionEvent

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

APPLICATION = "hummbl.asgi:application"
STREAMS = 200
DROPPED = "Dropped a client that took nothing"
# A client of one connection, in a process: it sends what it is given, and shows what it gets.
READ = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as there:
    there.sendall(sys.stdin.buffer.raw.read(4096))
    while piece := there.recv(4096):
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
"""


class Server:
    """A gunicorn on the test's database."""

    def __init__(self, process, port, log):
        self.process, self.port, self.log = process, port, log

    def said(self, beginning=""):
        """Its log lines that begin so."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line for line in lines if line["event"].startswith(beginning)]

    def is_up(self):
        assert self.process.poll() is None, self.log.read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@pytest.fixture(scope="module")
def serve(django_db_setup, tmp_path_factory):
    """`with serve() as server:`, as often as one likes."""

    @contextmanager
    def serve():
        port = free_port()
        log = tmp_path_factory.mktemp("server") / "log"
        with log.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-k", "tests.impatient.Worker", APPLICATION],
                cwd=settings.BASE_DIR,
                env=environment(HOST="0.0.0.0", PORT=str(port), LOG_FORMAT="json"),
                stderr=file,
            )
        server = Server(process, port, log)
        try:
            wait_for(server.is_up, what="the server listens")
            yield server
        finally:
            if process.poll() is None:
                server.stop()

    return serve


@pytest.fixture(scope="module")
def server(serve):
    """One that all tests may ask, and none may stop."""
    with serve() as server:
        yield server


@pytest.fixture
def execution(alice):
    return make_execution(make_workflow(alice))


@pytest.fixture
def token(alice):
    return Session.open(alice, ip=None, user_agent="")[1]


def write(execution, count, size=10):
    """What a running worker would write."""
    execution.refresh_from_db()
    numbers = range(execution.last_sequence + 1, execution.last_sequence + count + 1)
    ExecutionEvent.objects.bulk_create(
        ExecutionEvent(
            execution=execution, sequence=number, type="delta", data={"text": "x" * size}
        )
        for number in numbers
    )
    Execution.objects.filter(pk=execution.pk).update(last_sequence=numbers[-1])


def request(execution, token, more="", *, method="GET"):
    """What a client sends; `more` are other header lines."""
    return (
        f"{method} /api/executions/{execution.pk}/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {token}\r\n{more}\r\n"
    ).encode()


class Client:
    """One stream over a socket of its own."""

    def __init__(self, execution, token, last=""):
        self.execution, self.token, self.last = execution, token, last
        self.numbers = []
        self.is_over = False

    async def open(self, port, *, method="GET", room=None):
        """Ask, with `room` bytes in which the system keeps what is not read; the status."""
        plain = socket.socket()
        if room:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        plain.setblocking(False)
        await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", port))
        # Of what comes, asyncio itself keeps hardly anything either.
        self._reader, self._writer = await asyncio.open_connection(sock=plain, limit=1024)
        self._writer.write(request(self.execution, self.token, self.last, method=method))
        head = await self._reader.readuntil(b"\r\n\r\n")
        return int(head.split()[1])

    async def read(self, until=None):
        """Read the numbers of events, up to one, to the end, or to the connection's."""
        try:
            async with asyncio.timeout(60):
                while until not in self.numbers and not self.is_over:
                    size = int(await self._reader.readline() or b"-1", 16)
                    if size < 0:
                        break
                    piece = await self._reader.readexactly(size + 2)
                    self.numbers += map(int, re.findall(rb"^id: (\d+)$", piece, re.MULTILINE))
                    self.is_over = not size
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        if until not in self.numbers:
            self.close()
        return self.numbers

    def close(self):
        """Leave."""
        self._writer.close()

    def again(self):
        """The same, coming back after the last event that it has seen."""
        return Client(self.execution, self.token, f"Last-Event-ID: {self.numbers[-1]}\r\n")


def end(execution, alice):
    """Cancel it, and say how many events there have been."""
    Execution.objects.get(pk=execution.pk).cancel(by=alice)
    return Execution.objects.get(pk=execution.pk).last_sequence


async def together(calls):
    return await asyncio.gather(*calls)


def test_hundreds_get_each_event_once_in_order(server, execution, token, alice):
    clients = [Client(execution, token) for _ in range(STREAMS)]

    @async_to_sync
    async def main(port):
        statuses = await together(client.open(port) for client in clients)
        assert set(statuses) == {200}
        await together(client.read(until=1) for client in clients)
        reading = asyncio.create_task(together(client.read() for client in clients))
        for count in (1, 300, 2):
            await sync_to_async(write)(execution, count)
        last = await sync_to_async(end)(execution, alice)
        await reading
        return last

    last = main(server.port)

    assert last > 303
    for client in clients:
        assert client.is_over
        assert client.numbers == list(range(1, last + 1))


def test_who_does_not_read_is_dropped_and_loses_nothing(server, execution, token, alice):
    slow, fast = Client(execution, token), Client(execution, token)

    @async_to_sync
    async def main():
        await slow.open(server.port, room=4096)
        await fast.open(server.port)
        await together(client.read(until=1) for client in (slow, fast))
        await sync_to_async(write)(execution, 400, size=10_000)
        await fast.read(until=401)
        wait_for(lambda: server.said(DROPPED))
        # What had been sent is there; then the connection ends, but not the stream.
        await slow.read()
        assert not slow.is_over
        assert len(slow.numbers) < 100
        await sync_to_async(end)(execution, alice)
        back = slow.again()
        await back.open(server.port)
        await together(client.read() for client in (back, fast))
        return slow.numbers + back.numbers

    heard = main()

    assert len(server.said(DROPPED)) == 1
    last = Execution.objects.get(pk=execution.pk).last_sequence
    assert heard == fast.numbers == list(range(1, last + 1))


def test_the_end_of_the_process_ends_streams_which_can_be_resumed(
    serve, server, execution, token, alice
):
    clients = [Client(execution, token) for _ in range(50)]

    @async_to_sync
    async def until_the_end(ending):
        await together(client.open(ending.port) for client in clients)
        await together(client.read(until=1) for client in clients)
        assert ending.stop() == 0
        await together(client.read() for client in clients)

    @async_to_sync
    async def resumed():
        back = [client.again() for client in clients]
        await together(client.open(server.port) for client in back)
        return await together(client.read() for client in back)

    with serve() as ending:
        until_the_end(ending)
        assert {line["level"] for line in ending.said()} == {"info"}
    assert all(client.is_over for client in clients)
    write(execution, 3)
    last = end(execution, alice)

    assert resumed() == [list(range(2, last + 1))] * len(clients)


def connections_with(address):
    """How many TCP connections of this machine with that address are open."""
    as_shown = ip_address(address).packed[::-1].hex().upper()
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()]
    return sum(row[2].startswith(as_shown) and row[3] == "01" for row in rows)


@pytest.mark.once
@pytest.mark.skipif(network.available() is not None, reason=str(network.available()))
def test_who_vanishes_without_a_word_is_let_go(server, execution, token):
    with network.machine("reader") as machine:
        reader = subprocess.Popen(
            machine.command([sys.executable, "-c", READ, machine.host_address, str(server.port)]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with reader:
            try:
                reader.stdin.write(request(execution, token))
                reader.stdin.flush()
                assert b" 200 " in reader.stdout.readline()
                assert connections_with(machine.address) == 1
                machine.cut()
                write(execution, 1)
                wait_for(lambda: connections_with(machine.address) == 0)
            finally:
                reader.kill()


@pytest.mark.once
def test_a_head_and_what_a_client_may_say_of_itself(server, execution, token):
    async def status(token, last="", **options):
        client = Client(execution, token, last)
        try:
            return await client.open(server.port, **options)
        finally:
            client.close()

    twice = "Last-Event-ID: 1\r\nLast-Event-ID: 2\r\n"
    assert async_to_sync(status)(token, method="HEAD") == 200
    assert async_to_sync(status)(token, twice) == 400
    assert async_to_sync(status)("nobody") == 401
