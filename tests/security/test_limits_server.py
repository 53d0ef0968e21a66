"""security.md 11: the limit of sign-ins, asked of a real server that has several processes."""

import http.client
import json
import socket
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings

from hummbl import counters
from tests.factories import make_user
from tests.processes import environment, wait_for

BODY = json.dumps({"email": "alice@example.com", "password": "wrong password"})


@pytest.fixture
def port(transactional_db):
    """The port of a server with two processes, as the Procfile starts it."""
    counters.clear()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    gunicorn = Path(sys.executable).with_name("gunicorn")
    process = subprocess.Popen(
        [gunicorn, "hummbl.asgi:application"],
        cwd=settings.BASE_DIR,
        env=environment(RATE_LIMIT_AUTH="5/10m", WEB_CONCURRENCY="2", PORT=str(port)),
    )
    try:
        wait_for(lambda: _is_up(port), what="the server answers")
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)
        counters.clear()


def _is_up(port):
    try:
        return _ask(port, "GET", "/api/health")[0] == 200
    except OSError:
        return False


def _ask(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers
    finally:
        connection.close()


def _ten_attempts(port):
    return [_ask(port, "POST", "/api/auth/login", BODY) for _ in range(10)]


@pytest.mark.slow
def test_of_eighty_attempts_at_once_five_are_answered(port):
    """security.md 11: and what the others are told adds up."""
    make_user("alice@example.com")

    with ThreadPoolExecutor(8) as clients:
        answers = [answer for ten in clients.map(_ten_attempts, [port] * 8) for answer in ten]

    statuses = Counter(status for status, _ in answers)
    assert statuses == {401: 5, 429: 75}
    remaining = [headers["X-RateLimit-Remaining"] for status, headers in answers if status == 401]
    assert sorted(remaining) == ["0", "1", "2", "3", "4"]
    assert all(
        1 <= int(headers["Retry-After"]) <= 600 for status, headers in answers if status == 429
    )
    assert len({headers.get("X-RateLimit-Limit") for _, headers in answers}) == 1
