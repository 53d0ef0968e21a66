"""Real processes on the test database: workers and web servers, as an operator runs them."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.conf import settings
from django.db import connection

PATIENCE = 300  # s, for what must come, however slow the machine and whatever else it does


def database_url() -> str:
    """The URL of the database that the running test uses."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    login = f"{database['USER'] or ''}:{database['PASSWORD'] or ''}"
    return f"postgres://{login}@{database['HOST']}:{database['PORT'] or 5432}/{database['NAME']}"


def environment(**extra: str) -> dict[str, str]:
    """What a process needs to work on the test database with this process's secrets."""
    return os.environ | {
        "DATABASE_URL": database_url(),
        "SECRET_KEY": settings.SECRET_KEY,
        "ENCRYPTION_KEYS": ",".join(settings.ENCRYPTION_KEYS),
        "EXECUTION_DISPATCHER": settings.EXECUTION_DISPATCHER,
        "ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
        "RATE_LIMIT_AUTH": "",
        "RATE_LIMIT_EXECUTE": "",
        "RATE_LIMIT_API": "",
        "RATE_LIMIT_PAGES": "",
        "RATE_LIMIT_TELEMETRY": "",
        **extra,
    }


@contextmanager
def worker(**extra: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A `manage.py worker` process; killed at the end if it still lives."""
    command = [sys.executable, "manage.py", "worker"]
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment(**extra))
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.wait()


@contextmanager
def web(**extra: str) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """A web process as the Procfile starts it, and its address; it answers when the block begins.

    At the end it is told to stop, not killed: gunicorn's own processes would outlive it.
    """
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "hummbl.asgi:application"],
        cwd=settings.BASE_DIR,
        env=environment(PORT=str(port), **extra),
    )
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, "gunicorn ended"
        try:
            with urllib.request.urlopen(f"{url}/api/health/live", timeout=PATIENCE):
                return True
        except OSError:
            return False

    try:
        wait_for(answers, what="gunicorn answers")
        yield process, url
    finally:
        process.terminate()
        process.wait(PATIENCE)


def free_port(host: str = "127.0.0.1") -> int:
    """A port for a server that is about to start.

    Not one of those that the system gives to whoever asks for any: it may give it away meanwhile.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with suppress(OSError), socket.create_server((host, port)):
            return port


def at_once(program: str, count: int) -> list[str]:
    """What each of so many processes says that run this program on the test database."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=settings.BASE_DIR,
            env=environment(DJANGO_SETTINGS_MODULE="hummbl.settings"),
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    said = [process.communicate(timeout=PATIENCE)[0] for process in started]
    assert [process.returncode for process in started] == [0] * count
    return said


def wait_for(condition: Callable[[], Any], *, seconds: float = PATIENCE, what: str = "") -> Any:
    """What the condition returns once it is true; an assertion error when it never is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"This did not happen within {seconds} s: {what or condition}")
