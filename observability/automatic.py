"""What every process measures and writes beside what it does: caches, requests, its release.

Statements are measured where work is done: by the middleware's process and by workers. A command
that makes the tables could not write of them.
"""

from hummbl import cache, retention
from observability import metrics, releases, requests
from observability.models import RequestSample
from observability.models.request_sample import KEPT_FOR
from observability.names import CACHE_HITS, CACHE_MISSES


def start() -> None:
    """Listen to the caches; write requests and the release together with the metrics."""
    cache.listen(_count_look)
    metrics.on_flush(requests.write)
    metrics.on_flush(releases.note)
    retention.register_rows(
        "request samples", lambda: f"older than {KEPT_FOR.days} days", RequestSample.objects.expired
    )


def _count_look(kind: str, found: bool) -> None:
    metrics.count(CACHE_HITS if found else CACHE_MISSES, kind=kind)
