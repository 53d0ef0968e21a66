"""security.md 11: the limit of sign-ins, asked of a real server that has several processes."""

import http.client
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from hummbl import counters
from tests.factories import make_user
from tests.processes import PATIENCE, web

BODY = json.dumps({"email": "alice@example.com", "password": "wrong password"})


@pytest.fixture
def port(transactional_db):
    """The port of a server with two processes."""
    counters.clear()
    with web(RATE_LIMIT_AUTH="5/10m", WEB_CONCURRENCY="2") as (_, url):
        yield urlsplit(url).port
    counters.clear()


def _ask(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
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
