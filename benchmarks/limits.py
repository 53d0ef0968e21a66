"""Our rate limiter beside django-ratelimit: is it exact, at a window's edge too, and its cost.

Every contender counts one address at a time, five in a window.
"""

import multiprocessing
import time
from collections.abc import Callable
from itertools import count
from multiprocessing.context import ForkContext

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.http import HttpRequest
from django.test import RequestFactory
from django.test.utils import override_settings

from benchmarks.figures import percentile
from benchmarks.skipping import Skipped
from hummbl import counters, ratelimit

LIMIT = 5
OURS = "ours"
PEERS: dict[str, dict[str, str]] = {
    "django-ratelimit, LocMemCache": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
    },
    "django-ratelimit, DatabaseCache": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "bench_cache",
    },
    "django-ratelimit, our counters as its cache": {
        "BACKEND": "benchmarks.atomic_cache.CounterCache",
    },
}
# Whether a request is let through, at that rate.
Attempt = Callable[[HttpRequest, str], bool]
_addresses = count(1)


def compare(
    processes: int, attempts: int, window: int, bursts: int, calls: int
) -> dict[str, dict[str, float]]:
    """By contender: `allowed` among parallel processes, `edge`, and `p50` and `p99` in µs.

    `edge` is how much of one burst is allowed that is shorter than a window of `window` seconds:
    the most of as many as `bursts`.
    """
    try:
        import django_ratelimit  # noqa: F401
    except ImportError:
        raise Skipped("django-ratelimit is not installed") from None
    counters.clear()
    found = {OURS: _figures(_ours, processes, attempts, window, bursts, calls)}
    for label, cache in PEERS.items():
        with override_settings(CACHES={"default": cache}):
            if "LOCATION" in cache:
                call_command("createcachetable", verbosity=0)
            found[label] = _figures(_theirs, processes, attempts, window, bursts, calls)
    return found


def _ours(request: HttpRequest, rate: str) -> bool:
    settings.RATE_LIMIT_API = rate
    try:
        ratelimit.check_api(request)
    except ratelimit.RateLimited:
        return False
    return True


def _theirs(request: HttpRequest, rate: str) -> bool:
    from django_ratelimit.core import get_usage

    usage = get_usage(request, group="bench", key="ip", rate=rate, increment=True)
    return not usage["should_limit"]


def _figures(
    attempt: Attempt, processes: int, attempts: int, window: int, bursts: int, calls: int
) -> dict[str, float]:
    return {
        "allowed": _parallel(attempt, processes, attempts),
        "edge": max(_burst(attempt, window) for _ in range(bursts)),
        **_cost(attempt, calls),
    }


def _request() -> HttpRequest:
    """A request from an address that has not asked before."""
    number = next(_addresses)
    return RequestFactory().get("/", REMOTE_ADDR=f"10.0.{number // 250}.{number % 250 + 1}")


def _parallel(attempt: Attempt, processes: int, attempts: int) -> int:
    """How many of all attempts come through, made by that many processes at once."""
    connections.close_all()
    if connection.vendor == "postgresql":
        connection.close_pool()  # type: ignore[attr-defined]
    context: ForkContext = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(processes), context.Queue()
    request = _request()

    def work() -> None:
        barrier.wait()
        results.put(sum(attempt(request, f"{LIMIT}/10m") for _ in range(attempts // processes)))

    started = [context.Process(target=work) for _ in range(processes)]
    for process in started:
        process.start()
    allowed: int = sum(results.get(timeout=60) for _ in started)
    for process in started:
        process.join()
    return allowed


def _burst(attempt: Attempt, window: int) -> int:
    request, end, allowed = _request(), time.monotonic() + 0.9 * window, 0
    while time.monotonic() < end:
        allowed += attempt(request, f"{LIMIT}/{window}s")
        time.sleep(0.005)
    return allowed


def _cost(attempt: Attempt, calls: int) -> dict[str, float]:
    """Microseconds of one count, of an address that is not refused."""
    request, waits = _request(), []
    for _ in range(calls):
        begun = time.perf_counter()
        attempt(request, "1000000/h")
        waits.append(1e6 * (time.perf_counter() - begun))
    return {"p50": percentile(waits, 50), "p99": percentile(waits, 99)}
