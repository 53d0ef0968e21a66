"""How far executions and tasks can be, what can start an execution, and every step between.

The steps are data: the engine refuses a change of status that is none of them, ARCHITECTURE.md
shows them to people, and a test holds both against what is really written.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from django.db import models


class ExecutionStatus(models.TextChoices):
    """pending → running → completed | failed | cancelled, and running ⇄ waiting."""

    PENDING = "pending", "Pending"
    RUNNING = "running", "Running"
    WAITING = "waiting", "Waiting"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


TERMINAL_STATUSES = (
    ExecutionStatus.COMPLETED,
    ExecutionStatus.FAILED,
    ExecutionStatus.CANCELLED,
)
CLAIMABLE = (ExecutionStatus.PENDING, ExecutionStatus.RUNNING)
UNDER_WAY = (*CLAIMABLE, ExecutionStatus.WAITING)


class Trigger(models.TextChoices):
    """What started an execution."""

    MANUAL = "manual", "Manual"
    API = "api", "API"
    SCHEDULE = "schedule", "Schedule"
    WEBHOOK = "webhook", "Webhook"
    RERUN = "rerun", "Re-run"
    TEST = "test", "Test of one task"


class TaskStatus(models.TextChoices):
    """pending → running → completed | failed | cancelled; pending → skipped | cancelled."""

    PENDING = "pending", "Pending"
    RUNNING = "running", "Running"
    WAITING = "waiting", "Waiting"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"
    SKIPPED = "skipped", "Skipped"
    CANCELLED = "cancelled", "Cancelled"


TERMINAL_TASK_STATUSES = (
    TaskStatus.COMPLETED,
    TaskStatus.FAILED,
    TaskStatus.SKIPPED,
    TaskStatus.CANCELLED,
)


class Step(NamedTuple):
    """One thing that can happen to an execution or to a task.

    `before` are the statuses in which it can, none where the row is not there yet; `after` is the
    status that it leads to, None if that stays as it is. `columns` of its own row may change in it
    and no others; `totals` are those of the execution that change with a task. An event is also
    counted in the execution's `last_sequence`.
    """

    name: str
    before: tuple[str, ...]
    after: str | None
    by: str
    columns: tuple[str, ...] = ()
    totals: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


GONE: Final = "gone"

# Who does it.
RUNNER: Final = "who may run the workflow"
CANCELLER: Final = "who may cancel it"
CANCELLER_ALONE: Final = "who may cancel it, while nobody holds it"
DELETER: Final = "who may delete the workflow"
CLAIMER: Final = "any worker, while nobody holds it"
HOLDER: Final = "the worker that holds it"
SUCCESSOR: Final = "the worker that holds it next"
HOLDER_OR_RESTORE: Final = "the worker that holds it, or a restore"
RETENTION: Final = "retention"

# What is written beside the row itself.
EVENT: Final = "event"
DELTA: Final = "`delta` event"
RESERVED: Final = "ledger entry"
SETTLED: Final = "its settlement"
TASKS: Final = "its tasks"
EVENTS: Final = "its events"
DELTAS: Final = "its `delta` events"
AUDIT_STARTED: Final = "audit `execution.started`"
AUDIT_CANCELLED: Final = "audit `execution.cancelled`"
AUDIT_DELETED: Final = "audit `workflow.deleted`"

_LEASE: Final = ("lease_owner", "lease_token", "lease_expires_at")
_ENDED: Final = ("status", "completed_at")
_BROKEN: Final = (*_ENDED, "error", "error_code")
_COUNTED: Final = ("ended_count",)
_BILLED: Final = ("ended_count", "cost")
_PENDING: Final = (ExecutionStatus.PENDING,)
_RUNNING: Final = (ExecutionStatus.RUNNING,)
_CALL: Final = (EVENT, RESERVED)

EXECUTION_STEPS: Final = (
    Step("created", (), "pending", RUNNER, beside=(EVENT, TASKS, AUDIT_STARTED)),
    Step("claimed", CLAIMABLE, None, CLAIMER, _LEASE),
    Step("started", _PENDING, "running", HOLDER, ("status", "started_at"), beside=(EVENT,)),
    Step("renewed", CLAIMABLE, None, HOLDER, ("lease_expires_at",)),
    Step("handed back", CLAIMABLE, None, HOLDER_OR_RESTORE, _LEASE),
    Step("completed", _RUNNING, "completed", HOLDER, _ENDED, beside=(EVENT,)),
    Step("failed", _RUNNING, "failed", HOLDER, (*_ENDED, "error"), beside=(EVENT,)),
    Step("given up", _PENDING, "failed", HOLDER, (*_ENDED, "error"), beside=(EVENT, TASKS)),
    Step(
        "asked to cancel",
        CLAIMABLE,
        None,
        CANCELLER,
        ("cancel_requested_at",),
        beside=(AUDIT_CANCELLED,),
    ),
    Step("cancelled", CLAIMABLE, "cancelled", HOLDER, _ENDED, beside=(EVENT, TASKS)),
    Step(
        "cancelled at once",
        CLAIMABLE,
        "cancelled",
        CANCELLER_ALONE,
        (*_ENDED, "cancel_requested_at", *_LEASE),
        beside=(EVENT, TASKS, AUDIT_CANCELLED),
    ),
    Step("live text forgotten", TERMINAL_STATUSES, None, RETENTION, ("history",), beside=(DELTAS,)),
    Step("history forgotten", TERMINAL_STATUSES, None, RETENTION, ("history",), beside=(EVENTS,)),
    Step("forgotten", TERMINAL_STATUSES, GONE, RETENTION, beside=(TASKS, EVENTS)),
    Step("deleted", TERMINAL_STATUSES, GONE, DELETER, beside=(TASKS, EVENTS, AUDIT_DELETED)),
)

TASK_STEPS: Final = (
    Step("created", (), "pending", RUNNER),
    Step("given", (), "completed", RUNNER, beside=(EVENT,)),
    Step(
        "called",
        _PENDING,
        "running",
        HOLDER,
        ("status", "attempts", "input", "model", "started_at"),
        beside=_CALL,
    ),
    Step("refused", _PENDING, "running", HOLDER, ("status", "started_at"), beside=(EVENT,)),
    Step("streamed", _RUNNING, None, HOLDER, beside=(DELTA,)),
    Step(
        "put off",
        _RUNNING,
        None,
        HOLDER,
        ("error", "error_code", "cost"),
        ("cost",),
        (EVENT, SETTLED),
    ),
    Step("called again", _RUNNING, "running", HOLDER, ("attempts",), beside=_CALL),
    Step("billed", _RUNNING, None, HOLDER, ("cost",), ("cost",), (SETTLED,)),
    Step("passed to a fallback", _RUNNING, "running", HOLDER, ("attempts", "model"), beside=_CALL),
    Step("recovered", _RUNNING, "running", SUCCESSOR, ("attempts",), beside=_CALL),
    Step(
        "completed",
        _RUNNING,
        "completed",
        HOLDER,
        (
            *(*_BROKEN, "output", "finish_reason", "cost"),
            *("input_tokens", "cached_tokens", "output_tokens"),
        ),
        (*_BILLED, "input_tokens", "output_tokens"),
        (EVENT, SETTLED),
    ),
    Step("failed", _RUNNING, "failed", HOLDER, (*_BROKEN, "cost"), _BILLED, (EVENT, SETTLED)),
    Step("skipped", _PENDING, "skipped", HOLDER, _BROKEN, _COUNTED, (EVENT,)),
    Step("cancelled", _PENDING, "cancelled", HOLDER, _BROKEN, _COUNTED, (EVENT,)),
    Step(
        "broken off", _RUNNING, "cancelled", HOLDER, (*_BROKEN, "cost"), _BILLED, (EVENT, SETTLED)
    ),
    Step("cancelled at once", CLAIMABLE, "cancelled", CANCELLER_ALONE, _ENDED, _COUNTED, (EVENT,)),
    Step("forgotten", TERMINAL_TASK_STATUSES, GONE, RETENTION),
    Step("deleted", TERMINAL_TASK_STATUSES, GONE, DELETER),
)


def _changes(steps: Iterable[Step]) -> frozenset[tuple[str, str]]:
    return frozenset(
        (str(status), str(step.after or status))
        for step in steps
        for status in step.before
        if step.after != GONE
    )


# From and to: what the status of a row may become, or stay.
EXECUTION_TRANSITIONS: Final = _changes(EXECUTION_STEPS)
TASK_TRANSITIONS: Final = _changes(TASK_STEPS)
