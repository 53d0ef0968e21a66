"""What is so at a moment, as metrics: recorded once a minute, by one process of all."""

from hummbl import duties, space
from observability import metrics
from observability.names import QUEUE_DEPTH, STORAGE_BYTES, WORKERS_ALIVE
from workflows import health


def register() -> None:
    """Have it done."""
    duties.register("gauges", record)


def record() -> None:
    """Look at the queue, the workers and the database's size."""
    metrics.record(QUEUE_DEPTH, health.queue()["waiting"])
    metrics.record(WORKERS_ALIVE, health.workers()["alive"])
    metrics.record(STORAGE_BYTES, space.measure().total)
