"""Measurements of the engine: throughput, one long chain, many slow calls, start and recovery.

Each function runs in a process and on a database of its own, and starts its workers as processes
of their own.
"""

import random
import time
from collections import Counter
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.models import User
from benchmarks.figures import percentile
from benchmarks.processes import ScriptedWorker
from tests.factories import make_definition, make_diamond, make_task, make_user
from workflows import definition as documents
from workflows.engine import dispatchers
from workflows.models import Execution, ExecutionEvent, TaskResult, Workflow
from workflows.models.states import TERMINAL_STATUSES

WARM_UPS = 5


def owner() -> User:
    """The user who owns what a benchmark makes."""
    found = User.objects.filter(email="bench@example.com").first()
    return found or make_user("bench@example.com")


def make(definition: dict[str, Any]) -> Workflow:
    """A workflow of that document."""
    return Workflow.create_with(owner=owner(), name="Benchmark", definition=definition)


def enqueue(workflow: Workflow, count: int) -> None:
    """Put executions of a workflow into the tables, as `Workflow.execute` would, but in bulk."""
    version = workflow.current_version
    assert version is not None
    document = documents.parse(version.definition)
    executions = [
        Execution(
            workflow=workflow,
            version=version,
            user=workflow.owner,
            task_count=len(document.tasks),
            last_sequence=1,
        )
        for _ in range(count)
    ]
    tasks = (task for execution in executions for task in execution.pending_tasks(document))
    events = (
        ExecutionEvent(
            execution=execution, sequence=1, type="execution", data=execution.event_data()
        )
        for execution in executions
    )
    with transaction.atomic():
        Execution.objects.bulk_create(executions, batch_size=500)
        TaskResult.objects.bulk_create(tasks, batch_size=500)
        ExecutionEvent.objects.bulk_create(events, batch_size=500)


def execute(workflow: Workflow) -> float:
    """Start an execution as the product does; the moment at which its commit had returned."""
    moments: list[float] = []
    with transaction.atomic():
        # Ours comes first, so that waking the workers counts.
        transaction.on_commit(lambda: moments.append(time.monotonic()))
        workflow.execute(user=workflow.owner, input={})
    return moments[0]


def diamonds(count: int, live: int) -> float:
    """Tasks a second over `count` queued diamonds of 10 tasks, `live` of them at once."""
    enqueue(make(make_diamond()), count)
    dispatchers.chosen().announce_free()
    with ScriptedWorker("--until", count, "--concurrency", live) as worker:
        seconds, _ = worker.expect("done")
    _require_completed(count)
    return count * 10 / float(seconds)


def sequence(steps: int, runs: int) -> list[float]:
    """Seconds from the creation of a chain of tasks to its durable end, in an idle worker."""
    tasks = [make_task("step_0")]
    tasks += [make_task(f"step_{n}", f"step_{n - 1}") for n in range(1, steps)]
    workflow = make(make_definition(*tasks))
    seconds = []
    with ScriptedWorker("--report") as worker:
        worker.expect("ready")
        for _ in range(runs + 1):
            time.sleep(0.1)
            begun = execute(workflow)
            seconds.append(float(worker.expect("end")[0]) - begun)
    _require_completed(runs + 1)
    return seconds[1:]  # the first warms up


def slow_calls(count: int, pause: float) -> dict[str, float]:
    """Seconds for that many calls of `pause` seconds at once, and the worker's peak memory."""
    enqueue(make(make_definition(make_task("only", description="Wait."))), count)
    with ScriptedWorker("--until", count, "--concurrency", count, "--pause", pause) as worker:
        seconds, megabytes = map(float, worker.expect("done"))
    _require_completed(count)
    return {"seconds": seconds, "megabytes": megabytes}


def start_latency(count: int) -> dict[str, float]:
    """Milliseconds from the commit that creates an execution to the first call of its first task.

    The call begins only after the commit that starts the task, so this is an upper bound of the
    time between the two commits. The worker is idle each time.
    """
    workflow = make(make_definition(make_task("only")))
    waits = []
    with ScriptedWorker("--report") as worker:
        worker.expect("ready")
        for _ in range(count + WARM_UPS):
            time.sleep(random.uniform(0.01, 0.05))
            created = execute(workflow)
            waits.append(1000 * (float(worker.expect("call")[0]) - created))
            worker.expect("end")
    _require_completed(count + WARM_UPS)
    return {f"p{n}": percentile(waits[WARM_UPS:], n) for n in (50, 95, 99)}


def recovery(count: int, pause: float) -> dict[str, float]:
    """What `kill -9` of a worker with `count` calls in flight costs while another one is idle.

    `seconds` is from the kill to the last durable end, less the `pause` seconds that the repeated
    calls take.
    """
    tasks = [
        make_task("quick"),
        make_task("slow", "quick", description="Wait."),
        make_task("last", "slow"),
    ]
    workflow = make(make_definition(*tasks))
    with ScriptedWorker("--report", "--pause", 600) as first:
        first.expect("ready")
        for _ in range(count):
            execute(workflow)
        first.hear("call", begins="Wait", count=count)
        with ScriptedWorker("--report", "--pause", pause) as second:
            second.expect("ready")
            # So that the kill falls anywhere between two renewals.
            time.sleep(random.uniform(0, settings.LEASE_SECONDS / 3))
            killed = time.monotonic()
            first.kill()
            ends = [float(moment) for moment, _ in second.hear("end", count=count)]
    return {"lease": settings.LEASE_SECONDS, "seconds": max(ends) - killed - pause, **_verdict()}


def _verdict() -> dict[str, int]:
    ends: Counter[tuple[object, str]] = Counter()
    for event in ExecutionEvent.objects.all():
        if event.data["completed_at"]:
            ends[event.execution_id, event.data.get("task_id", "")] += 1
    quick = TaskResult.objects.filter(task_id="quick")
    return {
        "lost": Execution.objects.exclude(status="completed").count(),
        "twice": sum(times > 1 for times in ends.values()),
        "rerun": quick.exclude(attempts=1).count(),
    }


def _require_completed(count: int) -> None:
    """Refuse a figure for work that was not done."""
    completed = Execution.objects.filter(status="completed").count()
    open_tasks = TaskResult.objects.exclude(status="completed").count()
    assert completed == count, f"{completed} of {count} executions completed"
    assert not open_tasks, f"{open_tasks} tasks did not complete"
    assert Execution.objects.filter(status__in=TERMINAL_STATUSES).count() == count
