"""What `make bench` measures of the engine, each in a process and a database of its own."""

import asyncio
import resource
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import UTC, datetime
from decimal import Decimal

import uvloop
from django.db import transaction

from accounts.models import User
from tests.factories import make_diamond, make_task, make_user
from workflows import definition as documents
from workflows.engine.worker import Worker
from workflows.models import Execution, ExecutionEvent, TaskResult, Workflow
from workflows.providers import Completion, CompletionRequest

Complete = Callable[[CompletionRequest], Awaitable[Completion]]


def answer(text: str = "ok") -> Completion:
    """What a call that does nothing returns."""
    return Completion(
        text=text,
        finish_reason="stop",
        model="none",
        input_tokens=1,
        cached_tokens=0,
        output_tokens=1,
        latency=0.0,
        cost=Decimal(0),
    )


async def at_once(request: CompletionRequest) -> Completion:
    """A call that does nothing."""
    return answer()


async def after_a_second(request: CompletionRequest) -> Completion:
    """A call that takes one second."""
    await asyncio.sleep(1)
    return answer()


def unbounded(provider: str) -> AbstractAsyncContextManager[object]:
    """No limit on the calls at once, not even for the embedded model, which is not called."""
    return nullcontext()


class Until(Worker):
    """A worker that stops when it has ended so many executions, and knows how long it took."""

    def __init__(self, count: int, complete: Complete, **options: object) -> None:
        super().__init__(complete=complete, slot=unbounded, **options)  # type: ignore[arg-type]
        self._left = count
        self.begun = time.perf_counter()
        self.seconds = 0.0

    def _on_end(self, run: object) -> None:
        super()._on_end(run)  # type: ignore[arg-type]
        self._left -= 1
        if not self._left:
            self.seconds = time.perf_counter() - self.begun
            self.stop()


def work(count: int, complete: Complete, **options: object) -> float:
    """Seconds until a fresh worker has ended `count` executions that wait for it."""
    worker = Until(count, complete, **options)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        worker.begun = time.perf_counter()
        runner.run(worker.run())
    return worker.seconds


def owner() -> User:
    """The user who owns what a benchmark makes."""
    found = User.objects.filter(email="bench@example.com").first()
    return found or make_user("bench@example.com")


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
    with transaction.atomic():
        Execution.objects.bulk_create(executions, batch_size=500)
        TaskResult.objects.bulk_create(
            (
                TaskResult(
                    execution=execution,
                    task_id=task.id,
                    position=position,
                    task_name=task.name,
                    agent_id=task.agent_id,
                )
                for execution in executions
                for position, task in enumerate(document.tasks)
            ),
            batch_size=500,
        )
        ExecutionEvent.objects.bulk_create(
            (
                ExecutionEvent(
                    execution=execution,
                    sequence=1,
                    type="execution",
                    data=execution.event_data(),
                    at=datetime.now(UTC),
                )
                for execution in executions
            ),
            batch_size=500,
        )


def diamonds(count: int = 1000) -> float:
    """Tasks a second over `count` diamonds of 10 tasks that do nothing."""
    workflow = Workflow.create_with(owner=owner(), name="Diamond", definition=make_diamond())
    enqueue(workflow, count)
    return count * 10 / work(count, at_once, concurrency=200)


def sequence(steps: int = 40) -> float:
    """Seconds for that many tasks, one after the other."""
    tasks = [make_task("step_0")]
    tasks += [make_task(f"step_{n}", f"step_{n - 1}") for n in range(1, steps)]
    definition = make_diamond() | {"tasks": tasks}
    workflow = Workflow.create_with(owner=owner(), name="Steps", definition=definition)
    enqueue(workflow, 1)
    return work(1, at_once)


def slow_calls(count: int = 300) -> tuple[float, float]:
    """Seconds for that many calls of one second, and the worker's peak memory in MB."""
    definition = make_diamond() | {"tasks": [make_task("only")]}
    workflow = Workflow.create_with(owner=owner(), name="Slow", definition=definition)
    enqueue(workflow, count)
    seconds = work(count, after_a_second, concurrency=count)
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
