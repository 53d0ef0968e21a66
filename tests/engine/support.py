"""Runs a real worker in this process, with a scripted answer in place of the call to a model."""

import asyncio
from collections import defaultdict
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from decimal import Decimal

import uvloop
from django.db import connection

from tests.processes import PATIENCE
from workflows.engine.worker import Worker
from workflows.models import Execution, ExecutionEvent, SpendEntry, TaskResult
from workflows.providers import Completion, CompletionRequest, ProviderError


def completion(text: str, **fields) -> Completion:
    values = {
        "finish_reason": "stop",
        "model": "scripted",
        "input_tokens": 10,
        "cached_tokens": 2,
        "output_tokens": 5,
        "latency": 0.01,
        "cost": Decimal("0.0001"),
    }
    return Completion(text=text, **(values | fields))


def failure(code: str = "rate_limited", **fields) -> ProviderError:
    values = {"code": code, "retryable": True}
    return ProviderError(f"The provider said {code}.", **(values | fields))


@dataclass(frozen=True)
class Streamed:
    """An answer that is written piece by piece, with seconds of pause after each."""

    pieces: tuple[str, ...]
    pause: float = 0.0
    then: Exception | None = None

    async def __call__(self, on_delta) -> Completion:
        for piece in self.pieces:
            on_delta(piece)
            await asyncio.sleep(self.pause)
        if self.then:
            raise self.then
        return completion("".join(self.pieces))


class Script:
    """Answers by the first words of the prompt, `Do <task>.`, and remembers what was asked.

    `script["gather"]` is a list of what the calls for that task do, in order: a Completion or a
    text is returned, an exception raised, a coroutine function awaited, a Streamed one written
    piece by piece. When the list is used up, the answer is `<task> done`.
    """

    def __init__(self, **answers) -> None:
        self.answers = {task: list(values) for task, values in answers.items()}
        self.requests: list[CompletionRequest] = []
        self.calls: dict[str, int] = defaultdict(int)
        self.at_once = 0
        self.most_at_once = 0

    async def __call__(self, request: CompletionRequest, on_delta) -> Completion:
        task = request.prompt.split(".")[0].removeprefix("Do ").strip()
        self.requests.append(request)
        self.calls[task] += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self._answer(task, on_delta)
        finally:
            self.at_once -= 1

    async def _answer(self, task: str, on_delta) -> Completion:
        answers = self.answers.get(task)
        answer = answers.pop(0) if answers else f"{task} done"
        if isinstance(answer, Streamed):
            return await answer(on_delta)
        if callable(answer):
            answer = await answer()
        if isinstance(answer, Exception):
            raise answer
        await asyncio.sleep(0)
        return answer if isinstance(answer, Completion) else completion(answer)

    def prompt(self, task: str) -> str:
        """The prompt of the last call for a task."""
        return next(r.prompt for r in reversed(self.requests) if r.prompt.startswith(f"Do {task}."))


class UntilIdle(Worker):
    """A worker that stops as soon as there is nothing left to run, not even under a lease."""

    def _poll(self) -> None:
        super()._poll()
        self._check_soon()

    def _on_end(self, run) -> None:
        super()._on_end(run)
        self._check_soon()

    def _check_soon(self) -> None:
        if not self.runs:
            self._check = self._loop.create_task(self._stop_if_idle())

    async def _stop_if_idle(self) -> None:
        if not await asyncio.to_thread(anything_under_way):
            self.stop()


def anything_under_way() -> bool:
    try:
        return Execution.objects.under_way().exists()
    finally:
        connection.close()


def unbounded(provider: str) -> AbstractAsyncContextManager[object]:
    return nullcontext()


def work(complete=None, *, worker_class=UntilIdle, **options) -> Worker:
    """Run a worker until it has nothing left to do."""
    worker = worker_class(complete=complete or Script(), slot=unbounded, **options)
    run(worker)
    return worker


def run(worker: Worker, *, limit: float = PATIENCE) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(worker.run(), limit)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(bounded())


def results(execution: Execution) -> dict[str, TaskResult]:
    return {task.task_id: task for task in execution.tasks.all()}


def statuses(execution: Execution) -> dict[str, str]:
    return {task.task_id: task.status for task in execution.tasks.all()}


def check_truth(execution: Execution) -> None:
    """What holds of every ended execution, whatever happened to it."""
    execution.refresh_from_db()
    tasks = list(execution.tasks.all())
    events = list(ExecutionEvent.objects.filter(execution=execution).order_by("sequence"))
    assert execution.is_terminal, execution.status
    assert execution.lease_expires_at is None or execution.lease_owner
    assert all(task.is_terminal for task in tasks), [(t.task_id, t.status) for t in tasks]
    assert execution.ended_count == execution.task_count == len(tasks)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert execution.last_sequence == len(events)
    assert events[-1].type == "execution"
    assert events[-1].data["status"] == execution.status
    ends = [e for e in events if e.type == "task" and e.data["completed_at"]]
    assert sorted(e.data["task_id"] for e in ends) == sorted(t.task_id for t in tasks)
    if execution.status == "completed":
        assert {task.status for task in tasks} == {"completed"}
    elif execution.status == "failed":
        assert execution.error
    assert sum((task.cost for task in tasks), Decimal(0)) == execution.cost
    spent = SpendEntry.objects.filter(execution_id=execution.pk)
    for task in tasks:
        assert spent.filter(task_id=task.task_id).count() == task.attempts
