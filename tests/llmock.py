"""A real llmock server on loopback: the provider protocols with scripted faults.

`llmock` is the server with an empty script and journal, for one test. It is the subprocess
`llmock serve`, so that worker processes of a test reach it as well.
"""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.processes import PATIENCE, free_port

PATHS = {"openai": "/v1", "custom": "/v1", "anthropic": "/anthropic"}


class MockServer:
    """Scripts what a running llmock answers, and reads what it was asked."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.url = f"http://{host}:{port}"

    def base_url(self, provider: str = "openai") -> str:
        return self.url + PATHS[provider]

    def script(self, *behaviors: dict[str, Any]) -> None:
        """Queue behaviours, e.g. ``{"type": "fail", "status": 429, "times": 2}``."""
        self._call("POST", "/_llmock/scenario", {"behaviors": list(behaviors)})

    def fail(self, status: int, **options: Any) -> None:
        """Answer with an HTTP error; options: retry_after, message, code, times."""
        self.script({"type": "fail", "status": status, **options})

    def reply(self, text: str, **options: Any) -> None:
        """What the model says next; options: finish_reason, times, match."""
        self.script({"type": "reply", "text": text, **options})

    def delay(self, seconds: float, **options: Any) -> None:
        """Hold the next answer; ``times=None`` holds every one until the reset."""
        self.script({"type": "delay", "seconds": seconds, **options})

    def break_stream(self, kind: str, **options: Any) -> None:
        """Break the next stream: disconnect, truncate, stall or malformed."""
        self.script({"type": "stream_fault", "kind": kind, **options})

    def requests(self) -> list[dict[str, Any]]:
        """Every request since the reset, oldest first, with status, body and timing."""
        found: list[dict[str, Any]] = self._call("GET", "/_llmock/requests")["requests"]
        return found

    def verdict(self) -> dict[str, Any]:
        """llmock's judgement of how the client coped with the faults."""
        return self._call("GET", "/_llmock/verdict")

    def reset(self) -> None:
        self._call("POST", "/_llmock/reset")

    def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            found: dict[str, Any] = json.load(answer)
            return found


@contextmanager
def running(host: str = "127.0.0.1") -> Iterator[MockServer]:
    port = free_port(host)
    command = [sys.executable, "-m", "llmock.cli", "serve", "--host", host, "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--log-level", "error"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        server = MockServer(port, host)
        _wait_until_ready(server, process)
        yield server
    finally:
        process.kill()
        process.wait()


def _wait_until_ready(server: MockServer, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return server.reset()
        except (urllib.error.URLError, ConnectionError):
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.fixture(scope="session")
def llmock_server() -> Iterator[MockServer]:
    """One llmock for the session; prefer `llmock`, which starts each test clean."""
    with running() as server:
        yield server


@pytest.fixture
def llmock(llmock_server: MockServer) -> MockServer:
    """An llmock with nothing scripted and nothing recorded."""
    llmock_server.reset()
    return llmock_server
