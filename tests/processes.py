"""Real processes on the test database: workers and web servers, as an operator runs them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connection


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
        "ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
        "RATE_LIMIT_AUTH": "",
        "RATE_LIMIT_EXECUTE": "",
        "RATE_LIMIT_API": "",
        "RATE_LIMIT_PAGES": "",
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


def wait_for(condition: Callable[[], Any], *, seconds: float = 60, what: str = "") -> Any:
    """What the condition returns once it is true; an assertion error when it never is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"This did not happen within {seconds} s: {what or condition}")
