"""How many rows a busy site's metrics are, and how large."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import connection

from hummbl import space, table_sizes
from observability import names, rollup
from observability.buffer import Cell, Series, has_sketch
from observability.models import MetricBucket
from observability.models.metric import HOUR, MINUTE
from observability.store import Store

STATUSES: Final = {"2xx": 0.96, "3xx": 0.02, "4xx": 0.018, "5xx": 0.002}
TABLES: Final = {"observability_metricbucket", "observability_metricseries"}
DAYS_OF_MINUTES, DAYS_OF_HOURS = 2, 90
POOL: Final = 20_000


def rows(requests: int, routes: int, models: int, hours: int) -> dict[str, float]:
    """Rows and megabytes a day of so many requests a second, and what is kept of all days.

    One web process and one worker for so many hours; the rest of the day is like them.
    """
    draw = random.Random(5)
    rates = dict(_rates(requests * 60, routes, models))
    pool = [draw.lognormvariate(-3, 1) for _ in range(POOL)]
    before = _megabytes()
    begin = int((datetime.now(UTC) - timedelta(hours=hours + 1)).timestamp()) // HOUR * 60
    store = Store()
    for minute in range(begin, begin + hours * 60):
        store.add({minute: dict(_cells(draw, rates, pool))})
        store.write(minute * 60 + 60)
    rollup.roll_up()
    share = 24 / hours
    minutes, by_hour = (
        MetricBucket.objects.filter(resolution=resolution).count() * share
        for resolution in (MINUTE, HOUR)
    )
    # Rows of a day and for ever do not grow with the hours.
    MetricBucket.objects.exclude(resolution__in=(MINUTE, HOUR)).delete()
    both = _megabytes()
    MetricBucket.objects.filter(resolution=MINUTE).delete()
    of_hours = (_megabytes() - before) * share
    of_minutes = (both - before) * share - of_hours
    return {
        "series": len(rates),
        "minutes": minutes,
        "hours": by_hour,
        "megabytes": of_minutes + of_hours,
        "kept": DAYS_OF_MINUTES * of_minutes + DAYS_OF_HOURS * of_hours,
    }


def _rates(requests: int, routes: int, models: int) -> Iterator[tuple[Series, float]]:
    """All series with their samples a minute, of so many requests; few routes have most of them."""
    weights = [1 / (number + 1) for number in range(routes)]
    for number, weight in enumerate(weights):
        method = "POST" if number % 4 == 3 else "GET"
        where = {"route": f"/api/things/{number}/{{id}}", "method": method}
        for status, share in STATUSES.items():
            rate = requests * weight / sum(weights) * share
            yield _series(names.REQUEST_DURATION, **where, status=status), rate
            yield _series(names.REQUEST_COUNT, **where, status=status), rate
        yield _series(names.REQUEST_ERRORS, **where), rate  # that of the last, 5xx
    for number in range(models):
        which = {"provider": f"provider {number % 5}", "model": f"model {number}"}
        yield _series(names.AI_CALL_DURATION, **which, outcome="success"), 10
        yield _series(names.AI_COST, **which), 10
        for kind in ("input", "cached", "output"):
            yield _series(names.AI_TOKENS, **which, kind=kind), 10
    for operation in ("select", "insert", "update", "delete", "other"):
        yield _series(names.DB_QUERY_DURATION, operation=operation), requests
    for number in range(30):
        yield _series(names.DB_SLOW_QUERIES, statement=f"statement {number}"), 0.2
    for outcome in ("completed", "failed", "cancelled"):
        for name in (names.EXECUTION_DURATION, names.EXECUTION_COUNT, names.TASK_DURATION):
            yield _series(name, outcome=outcome), 20
    for name in (names.QUEUE_LAG, names.QUEUE_DEPTH, names.WORKERS_ALIVE, names.STORAGE_BYTES):
        yield _series(name), 1


def _series(name: str, **tags: str) -> Series:
    return name, tuple(sorted(tags.items()))


def _cells(
    draw: random.Random, rates: dict[Series, float], pool: list[float]
) -> Iterator[tuple[Series, Cell]]:
    """What is recorded in a minute."""
    for series, rate in rates.items():
        # Of a rate of 3.2 there are 3 or 4.
        if count := int(rate + draw.random()):
            cell = Cell()
            start = draw.randrange(POOL)
            cell.extend((pool[start:] + pool)[:count], sketched=has_sketch(series[0]))
            yield series, cell


def _megabytes() -> float:
    """What the tables take without gaps."""
    is_postgres = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute("VACUUM FULL" if is_postgres else "VACUUM")
    if not is_postgres:
        return space.measure().data / 1e6
    # The database keeps the old files until a checkpoint.
    return sum(each.bytes for each in table_sizes.measure().tables if each.table in TABLES) / 1e6
