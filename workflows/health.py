"""What `/api/health` says of the workers and of what waits for them."""

from typing import Final

from django.db.models import Count, Min
from django.utils import timezone

from observability import health
from observability.health import Result, Told
from workflows.models import Execution, ExecutionStatus, Worker

# An execution that has waited for longer says that the workers cannot keep up. Seconds.
LONGEST_WAIT: Final = 60


def register() -> None:
    """Add both to the report."""
    health.register("worker", workers, describe_workers)
    health.register("queue", queue, describe_queue)


def workers() -> Result:
    """Those heard of lately, wherever they run."""
    alive = list(Worker.objects.alive().values_list("executions", flat=True))
    return {
        "status": health.HEALTHY if alive else "missing",
        "alive": len(alive),
        "executions": sum(alive),
    }


def describe_workers(result: Result) -> Told:
    """In words."""
    if result["status"] != health.HEALTHY:
        return Told(
            "No worker was heard of in the last 20 seconds. What is started waits.",
            "Start manage.py worker; make run, compose.yaml and the systemd units do it. If one "
            "should be running, its log says why it is not.",
        )
    alive, busy = result["alive"], result["executions"]
    return Told(
        f"{alive} worker{' is' if alive == 1 else 's are'} alive, with {busy} "
        f"execution{'' if busy == 1 else 's'} under way."
    )


def queue() -> Result:
    """Executions that no worker has begun, and for how long the oldest of them has waited."""
    pending = Execution.objects.filter(status=ExecutionStatus.PENDING).order_by()
    found = pending.aggregate(waiting=Count("pk"), oldest=Min("created_at"))
    lag = (timezone.now() - found["oldest"]).total_seconds() if found["oldest"] else 0.0
    return {
        "status": "behind" if lag > LONGEST_WAIT else health.HEALTHY,
        "waiting": found["waiting"],
        "lag": round(max(0.0, lag), 1),
    }


def describe_queue(result: Result) -> Told:
    """In words."""
    waiting = result["waiting"]
    if not waiting:
        return Told("Nothing waits for a worker.")
    fact = (
        f"{waiting} execution{' waits' if waiting == 1 else 's wait'} for a worker, the oldest for "
        f"{result['lag']:.0f} s."
    )
    if result["status"] == health.HEALTHY:
        return Told(fact)
    return Told(fact, "Start more workers, or raise WORKER_CONCURRENCY if those there are idle.")
