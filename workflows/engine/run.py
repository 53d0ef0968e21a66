"""One execution, advanced in the event loop of the worker that holds its lease.

Every task is a coroutine. A transition changes the state here, is recorded in the journal, and
counts once it is committed: a call to a provider starts only after the row that says so is
durable, and the end is reported only after it is.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

from hummbl.encryption import DecryptionError
from hummbl.errors import AppError
from hummbl.logging import context
from workflows.definition import Agent, Graph, Task, WorkflowDefinition, render_prompt
from workflows.engine.agents import instructions, is_asked_again, models_of
from workflows.engine.journal import Journal
from workflows.engine.ledger import Call, Ledger, in_full_if_made
from workflows.engine.live_text import LiveText
from workflows.engine.measures import Measures
from workflows.engine.records import ZERO, ExecutionState, TaskState
from workflows.engine.retry import MAX_RETRY_AFTER_SECONDS, backoff
from workflows.models.api_key import MissingKey
from workflows.models.event import delta_event_data, execution_event_data, task_event_data
from workflows.models.states import (
    EXECUTION_TRANSITIONS,
    TASK_TRANSITIONS,
    TERMINAL_STATUSES,
    TERMINAL_TASK_STATUSES,
    ExecutionStatus,
    TaskStatus,
)
from workflows.providers import Completion, CompletionRequest, Credential, ProviderError
from workflows.providers.catalogue import NEEDS_KEY

logger = logging.getLogger(__name__)

UNREADABLE = WorkflowDefinition.model_construct(agents=[], tasks=[])
# A task whose calls were cut off by dying workers this often more than it has retries is given up.
MAX_LOST_ATTEMPTS = 5
BROKEN_BY = (TaskStatus.FAILED, TaskStatus.SKIPPED, TaskStatus.CANCELLED)

# How a model is called: the request, and what hears the answer while it is written.
Complete = Callable[[CompletionRequest, Callable[[str], None]], Awaitable[Completion]]


class LeaseLost(Exception):
    """Another worker has the execution; nothing that this one does counts any more."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a run needs of its worker. `execution_timeout` is in seconds."""

    journal: Journal
    measures: Measures
    complete: Complete
    slot: Callable[[str], AbstractAsyncContextManager[object]]
    credential: Callable[[str, str, str | None], Awaitable[Credential]]
    on_end: Callable[["Run"], None]
    execution_timeout: float


class Run:
    """Runs the tasks of one execution. All methods belong to the event loop's thread."""

    def __init__(self, state: ExecutionState, tools: Tools) -> None:
        self.state = state
        self.definition = state.definition or UNREADABLE
        self.tools = tools
        self.graph: Graph = self.definition.graph
        self.over = False
        self._tasks = {task.task_id: task for task in state.tasks}
        self._outputs: dict[str, str] = {}
        self._waiting: dict[str, int] = {}
        self._coroutines: dict[str, asyncio.Task[None]] = {}
        self._ledger = Ledger(state, tools.journal, tools.measures)
        self._deadline: asyncio.TimerHandle | None = None
        with context(execution_id=state.pk, user_id=state.user_id):
            self._context = copy_context()

    def start(self) -> None:
        """Go on from whatever state the execution is in."""
        state = self.state
        if state.cancel_requested:
            self.cancel()
            return
        if self.definition is UNREADABLE:
            self.give_up("This release cannot read the workflow's document. Save it again.")
            return
        if state.status == ExecutionStatus.PENDING:
            self._move(ExecutionStatus.RUNNING)
            state.started_at = self.tools.journal.now()
            self.tools.measures.begun(state, state.started_at)
            self._record_execution()
        now = self.tools.journal.now()
        elapsed = (now - (state.started_at or now)).total_seconds()
        patience = max(0.0, self.tools.execution_timeout - elapsed)
        self._deadline = asyncio.get_running_loop().call_later(patience, self._time_out)
        for task in self._restore():
            self._launch(task)
        self._finish_if_done()

    def _restore(self) -> list[TaskState]:
        """Take completed work over; the tasks that can run now."""
        ready = []
        for task_id in self.graph.order:
            task = self._tasks[task_id]
            before = [self._tasks[other] for other in self.graph.dependencies[task_id]]
            if task.status == TaskStatus.COMPLETED:
                self._outputs[task_id] = task.output
            elif task.status in TERMINAL_TASK_STATUSES:
                continue
            elif any(other.status in BROKEN_BY for other in before):
                self._skip(task, next(other for other in before if other.status in BROKEN_BY))
            else:
                open_ones = sum(other.status != TaskStatus.COMPLETED for other in before)
                self._waiting[task_id] = open_ones
                if not open_ones:
                    ready.append(task)
        return ready

    def _launch(self, task: TaskState) -> None:
        loop = asyncio.get_running_loop()
        coroutine = loop.create_task(self._perform(task), context=self._context)
        self._coroutines[task.task_id] = coroutine

    async def _perform(self, task: TaskState) -> None:
        try:
            await self._ask(task)
        except LeaseLost:
            return
        except AppError as error:
            self._fail(task, error.message, error.error_code)
        except ProviderError as error:
            self._fail(task, error.message, error.code)
        except Exception:
            logger.exception("Task %s broke", task.task_id, extra={"task_id": task.task_id})
            message = "Something went wrong inside HUMMBL. It has been logged for the operator."
            self._fail(task, message, "internal_error")
        finally:
            self._coroutines.pop(task.task_id, None)

    async def _ask(self, task: TaskState) -> None:
        """Call the agent's model, again while that may help, then its fallbacks."""
        spec = self.definition.tasks_by_id[task.task_id]
        agent = self.definition.agents_by_id[spec.agent_id]
        prompt = render_prompt(
            spec, input=self.state.input, outputs=self._outputs, names=self.definition.names
        )
        models = models_of(agent)
        if task.attempts > (spec.max_retries + 1) * len(models) + MAX_LOST_ATTEMPTS:
            raise AppError(
                "The workers that ran this task died again and again, so it is not tried any more.",
                code="attempts_exhausted",
            )
        failure: ProviderError | None = None
        for provider, model in models:
            try:
                return await self._insist(task, spec, agent, provider, model, prompt)
            except ProviderError as error:
                if not error.retryable:
                    raise
                failure = error
            except (MissingKey, DecryptionError) as error:
                # A fallback without a key that can be read is passed over: what the others said
                # comes first.
                if failure is None:
                    raise
                failure.message += f" The fallback {provider}:{model} was not tried: {error}"
        raise failure or AssertionError("an agent has a model")

    async def _insist(
        self, task: TaskState, spec: Task, agent: Agent, provider: str, model: str, prompt: str
    ) -> None:
        """Call one model, and again after failures that may pass. Raises the last failure."""
        for failures in range(spec.max_retries + 1):
            try:
                await self._attempt(task, spec, agent, provider, model, prompt)
            except ProviderError as error:
                last = failures == spec.max_retries
                if (
                    not error.retryable
                    or last
                    or (error.retry_after or 0) > MAX_RETRY_AFTER_SECONDS
                ):
                    raise
                delay = backoff(failures, error.retry_after)
                task.error, task.error_code = error.message, error.code
                self._record(task, retry_in=round(delay, 3))
            else:
                return
            await asyncio.sleep(delay)

    async def _attempt(
        self, task: TaskState, spec: Task, agent: Agent, provider: str, model: str, prompt: str
    ) -> None:
        tools = self.tools
        async with tools.slot(provider):
            credential = None
            if provider in NEEDS_KEY:
                name = agent.key if provider == agent.provider else None
                credential = await tools.credential(self.state.user_id, provider, name)
            system = instructions(agent)
            size = _size(prompt) + _size(system)
            call = self._ledger.reserve(provider, model, size, agent.max_tokens)
            self._begin(task, call, prompt)
            await tools.journal.committed(self.state)
            call.made = True
            request = CompletionRequest(
                provider=provider,
                model=model,
                prompt=prompt,
                instructions=system,
                temperature=float(agent.temperature),
                max_tokens=agent.max_tokens,
                timeout=float(spec.timeout_seconds),
                credential=credential,
                asked_again=provider in NEEDS_KEY and is_asked_again(self.definition, spec),
            )
            try:
                completion = await self._listen(task, request)
            except ProviderError as error:
                billed = error.maybe_billed
                self._ledger.settle(task, lambda call: call.reserved if billed else ZERO)
                raise
        self._complete(task, completion)

    async def _listen(self, task: TaskState, request: CompletionRequest) -> Completion:
        """Make the call, and record the answer while it is written."""
        live = LiveText(asyncio.get_running_loop(), lambda text: self._record_delta(task, text))
        started = time.perf_counter()
        try:
            completion = await self.tools.complete(request, live.add)
            self.tools.measures.answered(request, time.perf_counter() - started, completion)
            live.finish()
            return completion
        except ProviderError as error:
            self.tools.measures.failed(request, time.perf_counter() - started, error.code)
            raise
        finally:
            live.close()

    def _begin(self, task: TaskState, call: Call, prompt: str) -> None:
        _move_task(task, TaskStatus.RUNNING)
        task.attempts += 1
        task.input, task.model = prompt, call.model
        task.started_at = task.started_at or self.tools.journal.now()
        self._record(task)
        self._ledger.record(task, call)

    def _complete(self, task: TaskState, completion: Completion) -> None:
        cost = completion.cost
        self._ledger.settle(task, lambda call: call.reserved if cost is None else cost)
        task.output = completion.text
        task.finish_reason = completion.finish_reason
        task.error = task.error_code = ""
        task.input_tokens += completion.input_tokens
        task.cached_tokens += completion.cached_tokens
        task.output_tokens += completion.output_tokens
        self.state.input_tokens += completion.input_tokens
        self.state.output_tokens += completion.output_tokens
        self._outputs[task.task_id] = completion.text
        self._end(task, TaskStatus.COMPLETED)
        for other in self.graph.dependents[task.task_id]:
            # A dependent that was skipped for another reason is not waiting any more.
            if other in self._waiting:
                self._waiting[other] -= 1
                if not self._waiting[other]:
                    self._launch(self._tasks[other])
        self._finish_if_done()

    def _fail(self, task: TaskState, message: str, code: str) -> None:
        if self.over:
            return
        self._ledger.settle(task, in_full_if_made)
        if task.status == TaskStatus.PENDING:
            _move_task(task, TaskStatus.RUNNING)
            task.started_at = self.tools.journal.now()
            self._record(task)
        task.error, task.error_code = message, code
        self._end(task, TaskStatus.FAILED)
        for other in self.graph.descendants(task.task_id):
            if self._tasks[other].status == TaskStatus.PENDING:
                self._skip(self._tasks[other], task)
        self._finish_if_done()

    def _skip(self, task: TaskState, because: TaskState) -> None:
        name = self.definition.names[because.task_id]
        task.error = f"Skipped, because “{name}” {_BECAUSE[TaskStatus(because.status)]}."
        task.error_code = "dependency_failed"
        self._end(task, TaskStatus.SKIPPED)

    def _end(self, task: TaskState, status: TaskStatus) -> None:
        _move_task(task, status)
        task.completed_at = self.tools.journal.now()
        self.state.ended_count += 1
        self.tools.measures.task_ended(task)
        self._waiting.pop(task.task_id, None)
        self._record(task)

    def _finish_if_done(self) -> None:
        if self.over or self.state.ended_count < self.state.task_count:
            return
        failed = [task for task in self.state.tasks if task.status == TaskStatus.FAILED]
        if failed:
            name = self.definition.names[failed[0].task_id]
            self._finish(ExecutionStatus.FAILED, f"“{name}” failed: {failed[0].error}")
        else:
            self._finish(ExecutionStatus.COMPLETED, "")

    def _finish(self, status: ExecutionStatus, error: str) -> None:
        if self.state.status in TERMINAL_STATUSES:
            return
        self.over = True
        if self._deadline:
            self._deadline.cancel()
        self._move(status)
        self.state.error = error
        self.state.completed_at = self.tools.journal.now()
        self._record_execution()
        ended = self.tools.journal.committed(self.state)
        ended.add_done_callback(self._on_ended)

    def _on_ended(self, ended: "asyncio.Future[None]") -> None:
        if not ended.cancelled() and not ended.exception():
            self.tools.measures.execution_ended(self.state)
            self.tools.on_end(self)

    def cancel(self) -> None:
        """End the execution as cancelled: requests in flight are aborted at once."""
        if not self.over:
            self._break_off(TaskStatus.CANCELLED, "", "")
            self._finish(ExecutionStatus.CANCELLED, "")

    def give_up(self, message: str) -> None:
        """End the execution as failed, whatever state it is in."""
        if not self.over:
            self._break_off(TaskStatus.FAILED, message, "internal_error")
            self._finish(ExecutionStatus.FAILED, message)

    def _time_out(self) -> None:
        if not self.over:
            limit = f"{self.tools.execution_timeout:g} seconds"
            message = f"The execution did not finish within {limit}."
            self._break_off(TaskStatus.FAILED, message, "execution_timeout")
            self._finish(ExecutionStatus.FAILED, message)

    def _break_off(self, running_becomes: TaskStatus, message: str, code: str) -> None:
        """Abort what runs and end what has not ended. A call that was cut off may be billed."""
        self._stop_coroutines()
        for task in self.state.tasks:
            if task.status in TERMINAL_TASK_STATUSES:
                continue
            self._ledger.settle(task, in_full_if_made)
            was_running = task.status == TaskStatus.RUNNING
            task.error, task.error_code = message, code
            self._end(task, running_becomes if was_running else TaskStatus.CANCELLED)

    def abandon(self) -> None:
        """Stop without a word: the lease is someone else's, or about to be."""
        self.over = True
        if self._deadline:
            self._deadline.cancel()
        self._stop_coroutines()
        self.tools.journal.forget(self.state.pk)

    def _stop_coroutines(self) -> None:
        current = asyncio.current_task()
        for coroutine in list(self._coroutines.values()):
            if coroutine is not current:
                coroutine.cancel()

    def _move(self, status: ExecutionStatus) -> None:
        change = (str(self.state.status), str(status))
        assert change in EXECUTION_TRANSITIONS, change
        self.state.status = status

    def _record(self, task: TaskState, **more: Any) -> None:
        self.tools.journal.task(self.state, task, task_event_data(task) | more)

    def _record_delta(self, task: TaskState, text: str) -> None:
        if not self.over:
            self.tools.journal.event(self.state, "delta", delta_event_data(task, text))

    def _record_execution(self) -> None:
        state = self.state
        data = execution_event_data(
            status=state.status,
            ended=state.ended_count,
            count=state.task_count,
            cost=state.cost,
            tokens=state.input_tokens + state.output_tokens,
            error=state.error,
            started_at=state.started_at,
            completed_at=state.completed_at,
        )
        self.tools.journal.event(state, "execution", data)


_BECAUSE = {
    TaskStatus.FAILED: "failed",
    TaskStatus.SKIPPED: "was skipped",
    TaskStatus.CANCELLED: "was cancelled",
}


def _move_task(task: TaskState, status: TaskStatus) -> None:
    change = (str(task.status), str(status))
    assert change in TASK_TRANSITIONS, change
    task.status = status


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
