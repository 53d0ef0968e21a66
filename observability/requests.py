"""Requests worth a look, gathered in this process and written with its metrics.

Of each minute the slowest of a route and some that failed, so that whoever sees a spike finds what
was behind it. A storm costs no more rows than a quiet minute.
"""

import os
import threading
import time
from typing import Final

from django.db import InterfaceError, OperationalError

from observability.models import RequestSample

# Seconds from which on the slowest request of a route is worth a look.
SLOW_SECONDS: Final = 0.05
# Routes whose slowest request is kept, in a minute; and failures, of all routes and of one.
MOST_SLOW: Final = 10
MOST_FAILED: Final = 10
MOST_FAILED_OF_ROUTE: Final = 3
# Rows that wait while the database is away.
MOST_WAITING: Final = 200

_COLUMNS: Final = [
    field.name
    for field in RequestSample._meta.concrete_fields  # noqa: SLF001 - a public name
    if not field.primary_key
]


class Samples:
    """Those of this process. Any thread may offer one."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._lock = threading.Lock()
        self._minute = 0
        self._slowest: dict[str, RequestSample] = {}
        self._failed: list[RequestSample] = []
        self._waiting: dict[object, RequestSample] = {}

    def offer(self, sample: RequestSample) -> None:
        """Keep it if it failed, or is the slowest of its route so far."""
        minute = int(time.time() // 60)
        with self._lock:
            if minute != self._minute:
                self._minute, self._slowest, self._failed = minute, {}, []
            kept = self._keep_failed(sample) if sample.status >= 500 else self._keep_slow(sample)
            if kept and (sample.id in self._waiting or len(self._waiting) < MOST_WAITING):
                self._waiting[sample.id] = sample

    def write(self) -> None:
        """Write what came since. Raises DatabaseError; if that is away, the rows wait for it."""
        with self._lock:
            taken, self._waiting = self._waiting, {}
        try:
            if taken:
                # The slowest of a minute takes the row of the one that was it before.
                RequestSample.objects.bulk_create(
                    taken.values(),
                    update_conflicts=True,
                    unique_fields=["id"],
                    update_fields=_COLUMNS,
                )
        except (InterfaceError, OperationalError):
            with self._lock:
                self._waiting = taken | self._waiting
            raise

    def _keep_failed(self, sample: RequestSample) -> bool:
        of_route = sum(other.route == sample.route for other in self._failed)
        if len(self._failed) >= MOST_FAILED or of_route >= MOST_FAILED_OF_ROUTE:
            return False
        self._failed.append(sample)
        return True

    def _keep_slow(self, sample: RequestSample) -> bool:
        slowest = self._slowest
        before = slowest.get(sample.route)
        if before is None and len(slowest) >= MOST_SLOW:
            before = min(slowest.values(), key=lambda other: other.seconds)
        if before is not None and before.seconds >= sample.seconds:
            return False
        if before is not None:
            del slowest[before.route]
            sample.id = before.id
        slowest[sample.route] = sample
        return True


_samples = Samples()
offer, write, reset = _samples.offer, _samples.write, _samples.reset

os.register_at_fork(after_in_child=reset)
