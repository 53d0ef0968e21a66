"""Measurements of the web process: the list of workflows, and memory at rest."""

import http.client
import threading
import time
from collections.abc import Callable
from itertools import count

from accounts.models import Session
from benchmarks.engine import make, owner
from benchmarks.figures import percentile
from benchmarks.memory import is_measurable, proportional_megabytes
from benchmarks.processes import BASE_DIR, free_port, from_procfile, get, running, wait_for
from benchmarks.skipping import Skipped
from tests.factories import make_diamond

PATH = "/api/workflows?limit=50"
CONNECTIONS = 4


def at_rest(settle: float) -> dict[str, float]:
    """Megabytes of the web and the worker process, `settle` seconds after their first requests."""
    if not is_measurable():
        raise Skipped("this system does not tell the proportional set size")
    port = free_port()
    with from_procfile("worker") as worker, from_procfile("web", port=port) as web:
        wait_for(port, "/api/health", contains=b"operational")
        wait_for(port, "/signin")
        time.sleep(settle)
        return {"web": proportional_megabytes(web), "worker": proportional_megabytes(worker)}


def list_workflows(rows: int, rate: int, seconds: float, rounds: int) -> dict[str, float]:
    """Milliseconds at `rate` requests a second; requests a second when asked without a pause.

    `plain` is the latter of a plain ModelSerializer over the same rows, in turns with ours.
    """
    for _ in range(rows):
        make(make_diamond())
    _, token = Session.open(owner(), ip="127.0.0.1", user_agent="benchmark")
    headers = {"Authorization": f"Bearer {token}"}
    port, plain_port = free_port(), free_port()
    plain = f"exec gunicorn -c {BASE_DIR / 'gunicorn.conf.py'} benchmarks.plain:application"
    with (
        from_procfile("web", port=port, RATE_LIMIT_API="", RATE_LIMIT_PAGES=""),
        running(plain, port=plain_port, RATE_LIMIT_API="", RATE_LIMIT_PAGES=""),
    ):
        for each in (port, plain_port):
            wait_for(each, "/api/health")
            _require_rows(each, headers, rows)
            flood(each, headers, seconds / 5)  # warms up
        waits = steady(port, headers, rate, seconds)
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(flood(port, headers, seconds / rounds))
            theirs.append(flood(plain_port, headers, seconds / rounds))
    return {
        **{f"p{n}": percentile(waits, n) for n in (50, 99)},
        "rate": percentile(ours, 50),
        "plain": percentile(theirs, 50),
    }


def _require_rows(port: int, headers: dict[str, str], rows: int) -> None:
    """Refuse a figure for an answer that is no list."""
    status, body = get(port, PATH, **headers)
    assert status == 200, body
    assert body.count(b'"task_count"') == rows, body


def steady(port: int, headers: dict[str, str], rate: int, seconds: float) -> list[float]:
    """Milliseconds of each request, from when it was due, so that a queue counts as a wait."""
    waits: list[float] = []
    numbers = count()
    begun = time.monotonic() + 0.1

    def client(connection: http.client.HTTPConnection) -> bool:
        due = begun + next(numbers) / rate
        if due > begun + seconds:
            return False
        time.sleep(max(0.0, due - time.monotonic()))
        _ask(connection, headers)
        waits.append(1000 * (time.monotonic() - due))
        return True

    _clients(port, 4 * CONNECTIONS, client)
    return waits


def flood(port: int, headers: dict[str, str], seconds: float) -> float:
    """Requests a second over a few connections, each asking again as soon as it is answered."""
    answered: list[float] = []
    begun = time.monotonic()

    def client(connection: http.client.HTTPConnection) -> bool:
        _ask(connection, headers)
        answered.append(time.monotonic())
        return answered[-1] < begun + seconds

    _clients(port, CONNECTIONS, client)
    return len(answered) / (max(answered) - begun)


def _ask(connection: http.client.HTTPConnection, headers: dict[str, str]) -> None:
    connection.request("GET", PATH, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, body


def _clients(port: int, number: int, client: Callable[[http.client.HTTPConnection], bool]) -> None:
    """Let that many threads ask, each over a connection of its own, until they have enough."""
    errors: list[BaseException] = []

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            while client(connection):
                pass
        except (OSError, http.client.HTTPException, AssertionError) as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
