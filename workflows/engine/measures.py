"""What a worker measures of its executions, tasks and calls, recorded about once a second.

A task costs the engine some 60 µs: looking its metrics up one by one would be felt.
Every method belongs to the event loop's thread.
"""

from collections import defaultdict
from decimal import Decimal

from observability import metrics
from observability.names import (
    AI_CALL_DURATION,
    AI_COST,
    AI_ERRORS,
    AI_TOKENS,
    EXECUTION_COUNT,
    EXECUTION_DURATION,
    QUEUE_LAG,
    TASK_DURATION,
)
from workflows.engine.records import ZERO, ExecutionState, TaskState
from workflows.moment import Moment
from workflows.providers import Completion, CompletionRequest


class _Model:
    """The calls of a model since the last time, by whether they were answered."""

    __slots__ = ("answered", "cached", "cost", "errors", "failed", "input", "output")

    def __init__(self) -> None:
        self.answered: list[float] = []
        self.failed: list[float] = []
        self.errors: dict[str, int] = defaultdict(int)
        self.input = self.cached = self.output = 0
        self.cost = ZERO


class Measures:
    """Durations, tokens and costs of one worker until they are recorded."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._lags: list[float] = []
        self._executions: dict[str, list[float]] = defaultdict(list)
        self._tasks: dict[str, list[float]] = defaultdict(list)
        self._models: dict[tuple[str, str], _Model] = defaultdict(_Model)

    def begun(self, state: ExecutionState, now: Moment) -> None:
        """Note how long an execution has waited for a worker."""
        self._lags.append(max(0.0, (now - state.created_at).total_seconds()))

    def execution_ended(self, state: ExecutionState) -> None:
        """Note the end of an execution, which is committed."""
        self._executions[state.status].append(_seconds(state))

    def task_ended(self, task: TaskState) -> None:
        """Note the end of a task; one that never began took no time."""
        if task.started_at:
            self._tasks[task.status].append(_seconds(task))

    def answered(self, request: CompletionRequest, seconds: float, answer: Completion) -> None:
        """Note a call that was answered."""
        found = self._models[request.provider, request.model]
        found.answered.append(seconds)
        found.input += answer.input_tokens - answer.cached_tokens
        found.cached += answer.cached_tokens
        found.output += answer.output_tokens

    def failed(self, request: CompletionRequest, seconds: float, code: str) -> None:
        """Note a call that failed."""
        found = self._models[request.provider, request.model]
        found.failed.append(seconds)
        found.errors[code] += 1

    def settled(self, provider: str, model: str, amount: Decimal) -> None:
        """Note what the ledger says that a call has cost, in US dollars."""
        if amount:
            self._models[provider, model].cost += amount

    def record(self) -> None:
        """Hand everything to the metrics."""
        lags, executions = self._lags, self._executions
        tasks, models = self._tasks, self._models
        self._reset()
        if lags:
            metrics.record_all(QUEUE_LAG, lags)
        for outcome, durations in executions.items():
            metrics.record_all(EXECUTION_DURATION, durations, outcome=outcome)
            metrics.count(EXECUTION_COUNT, len(durations), outcome=outcome)
        for outcome, durations in tasks.items():
            metrics.record_all(TASK_DURATION, durations, outcome=outcome)
        for (provider, model), calls in models.items():
            _record_calls(provider, model, calls)


def _record_calls(provider: str, model: str, calls: _Model) -> None:
    of = {"provider": provider, "model": model}
    for outcome, durations in (("completed", calls.answered), ("failed", calls.failed)):
        if durations:
            metrics.record_all(AI_CALL_DURATION, durations, outcome=outcome, **of)
    for code, number in calls.errors.items():
        metrics.count(AI_ERRORS, number, code=code, **of)
    for kind in ("input", "cached", "output"):
        if tokens := getattr(calls, kind):
            metrics.count(AI_TOKENS, tokens, kind=kind, **of)
    if calls.cost:
        metrics.count(AI_COST, float(calls.cost), **of)


def _seconds(of: ExecutionState | TaskState) -> float:
    """From its beginning to its end; none for what was cancelled before it began."""
    if of.started_at is None or of.completed_at is None:
        return 0.0
    return max(0.0, (of.completed_at - of.started_at).total_seconds())
