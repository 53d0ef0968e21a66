"""Which names those who are not signed in may add to a metric.

A metric has room for 500 of them (`buffer.MOST_SERIES`), and without this a stranger could take it
all, so that what pages really report would be counted as `other`.
"""

import threading
import time
from typing import Final

from observability.models import MetricSeries

# Names that a metric may have before strangers can add no more; each process counts on its own.
ROOM: Final = 100
# Seconds after which the names are read again.
FRESH: Final = 60.0

_lock = threading.Lock()
_names: dict[str, tuple[float, set[str]]] = {}


def may_name(metric: str, tag: str, name: str) -> bool:
    """Whether a stranger's `name` is one that the metric has already, or still has room for."""
    read_at, known = _names.get(metric, (0.0, set()))
    if not known or time.monotonic() - read_at > FRESH:
        known = known | _stored(metric, tag)
        _names[metric] = time.monotonic(), known
    with _lock:
        if name not in known and len(known) < ROOM:
            known.add(name)
        return name in known


def reset() -> None:
    """Forget what was read: between tests."""
    _names.clear()


def _stored(metric: str, tag: str) -> set[str]:
    tags = MetricSeries.objects.filter(name=metric).values_list("tags", flat=True)
    return {found[tag] for found in tags if tag in found}
