"""Starting, hearing and ending the processes that are measured."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
START_SECONDS = 30
STOP_SECONDS = 10


class ProcessFailed(Exception):
    """A measured process ended or stayed silent when it should not have."""


class ScriptedWorker:
    """A `benchmarks.worker` process. Use it in a `with` block."""

    def __init__(self, *arguments: object) -> None:
        command = [sys.executable, "-m", "benchmarks.worker", *map(str, arguments)]
        self._process = subprocess.Popen(
            command, cwd=BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> "ScriptedWorker":
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        end(self._process)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def expect(self, word: str) -> list[str]:
        """The values of the next line that begins with `word`; earlier lines are dropped."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            first, *values = line.split(maxsplit=2)
            if first == word:
                return [value.strip() for value in values]
        raise ProcessFailed(f"The worker ended before it said “{word}”.")

    def hear(self, word: str, *, begins: str = "", count: int = 1) -> list[list[str]]:
        """The values of the next `count` such lines whose second value begins so."""
        heard: list[list[str]] = []
        while len(heard) < count:
            values = self.expect(word)
            if values[1].startswith(begins):
                heard.append(values)
        return heard

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self._process.kill()
        self._process.wait()


def end(process: "subprocess.Popen[str]") -> None:
    """Ask a process to stop, and make it."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def from_procfile(name: str, *, port: int = 0, **environment: str) -> Iterator[int]:
    """The process of that name in the Procfile, as a deployment starts it; its id."""
    entries = (line.partition(":") for line in (BASE_DIR / "Procfile").read_text().splitlines())
    commands = {entry.strip(): command.strip() for entry, _, command in entries}
    with running(commands[name], port=port, **environment) as pid:
        yield pid


@contextmanager
def running(command: str, *, port: int = 0, **environment: str) -> Iterator[int]:
    """A command in the project's folder, with this interpreter's programs first; its id."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    process = subprocess.Popen(
        ["sh", "-c", command],
        cwd=BASE_DIR,
        env={**os.environ, "PATH": path, "PORT": str(port), **environment},
        stdout=sys.stderr,
        text=True,
    )
    try:
        yield process.pid
    finally:
        end(process)


def free_port() -> int:
    """A port on loopback that nobody uses at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def get(port: int, path: str, **headers: str) -> tuple[int, bytes]:
    """Status and body of one GET request on loopback."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def wait_for(port: int, path: str, contains: bytes = b"") -> None:
    """Return once the address answers 200 with these bytes. Raises ProcessFailed."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            status, body = get(port, path)
        except OSError:
            status, body = 0, b""
        if status == 200 and contains in body:
            return
        time.sleep(0.1)
    raise ProcessFailed(f"{path} did not answer within {START_SECONDS} s.")
