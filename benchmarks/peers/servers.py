"""Servers that peers need beside a database. Each function raises Skipped where there is none."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from benchmarks.processes import START_SECONDS, end, free_port
from benchmarks.skipping import Skipped

AMQP_URL = "amqp://guest:guest@127.0.0.1:5672//"


def start(names: tuple[str, ...], stack: ExitStack) -> dict[str, str]:
    """Make those servers available until the stack is closed: the URLs, by variable."""
    return {VARIABLES[name]: stack.enter_context(SERVERS[name]()) for name in names}


@contextmanager
def rabbitmq() -> Iterator[str]:
    """The server of TEST_AMQP_URL, or the local one."""
    url = os.environ.get("TEST_AMQP_URL") or AMQP_URL
    place = urlsplit(url)
    try:
        socket.create_connection((place.hostname, place.port or 5672), timeout=3).close()
    except OSError as error:
        reason = error.strerror or "no answer"
        raise Skipped(f"RabbitMQ, {place.hostname}:{place.port or 5672}: {reason}") from None
    yield url


@contextmanager
def redis() -> Iterator[str]:
    """A private server that loses nothing: each write is in its log before it is answered."""
    program = shutil.which("redis-server")
    if not program:
        raise Skipped("there is no program redis-server")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="hummbl-bench-redis-") as folder:
        durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        process = subprocess.Popen(
            [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, *durable],
            stdout=subprocess.DEVNULL,
            text=True,
        )
        try:
            _wait_for(port, process)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            end(process)


def _wait_for(port: int, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=3).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise Skipped("redis-server did not start")


SERVERS = {"rabbitmq": rabbitmq, "redis": redis}
VARIABLES = {"rabbitmq": "AMQP_URL", "redis": "REDIS_URL"}
