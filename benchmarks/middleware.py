"""What measuring costs a request: the middleware, and each statement that a view makes."""

import time
from collections.abc import Callable

from django.db import connection
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import resolve

from benchmarks.figures import percentile
from observability import database
from observability.middleware import MetricsMiddleware

PATH = "/api/workflows"


def cost(calls: int) -> dict[str, float]:
    """Microseconds: p50 and p99 of the middleware around a view that does nothing; a statement.

    What was recorded is summed up and written meanwhile, as in a web process: see the p99.
    """
    return {**_middleware(calls), "statement": _statement(calls)}


def _middleware(calls: int) -> dict[str, float]:
    request, response = RequestFactory().get(PATH), HttpResponse()
    request.resolver_match = resolve(PATH)
    measured = MetricsMiddleware(lambda _: response)
    waits = _each(lambda: measured(request), calls)
    return {f"p{n}": percentile(waits, n) for n in (50, 99)}


def _statement(calls: int) -> float:
    """The median of what a statement takes longer when it is measured."""
    database.measure()
    connection.close()  # those that are open already are not measured
    with connection.cursor() as cursor:

        def ask() -> None:
            cursor.execute("SELECT 1")

        measured = percentile(_each(ask, calls), 50)
        connection.execute_wrappers.clear()
        return measured - percentile(_each(ask, calls), 50)


def _each(act: Callable[[], object], calls: int) -> list[float]:
    waits = []
    for _ in range(calls):
        begun = time.perf_counter()
        act()
        waits.append(1e6 * (time.perf_counter() - begun))
    return waits
