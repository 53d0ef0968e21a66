"""Names every step that an execution and its tasks take, from what was really written.

An observer reads all rows after each write of the engine, and whenever a test says so. Between two
readings it tells the steps by statuses, events and leases, and holds everything else that changed
against what `workflows.models.states` says of these steps. It watches one execution.
"""

import threading
from collections import Counter
from typing import Any, NamedTuple

from django.db import connection

from accounts.models import AuditEntry
from workflows.engine.store import Store
from workflows.models import Execution, ExecutionEvent, History, SpendEntry, TaskResult
from workflows.models.states import (
    DELTA,
    DELTAS,
    EVENT,
    EVENTS,
    EXECUTION_STEPS,
    RESERVED,
    SETTLED,
    TASK_STEPS,
    TASKS,
    Step,
)

WRITES = ("apply", "claim", "renew", "hand_back")
EXECUTION = {step.name: step for step in EXECUTION_STEPS}
TASK = {step.name: step for step in TASK_STEPS}
BOOKKEEPING = {"updated_at"}
AUDITED = ("execution.started", "execution.cancelled", "workflow.deleted")
TABLES = (Execution, TaskResult, SpendEntry, ExecutionEvent)


class Row(NamedTuple):
    """A row before and after; None where there is none."""

    old: dict[str, Any] | None
    new: dict[str, Any] | None

    def __getitem__(self, name: str) -> Any:
        return (self.new or self.old or {}).get(name)

    @property
    def changed(self) -> set[str]:
        if self.old is None or self.new is None:
            return set()
        return {name for name in self.new if self.new[name] != self.old[name]} - BOOKKEEPING

    @property
    def was(self) -> str:
        return self.old["status"] if self.old else ""


class Difference:
    """What changed between two readings."""

    def __init__(self, before: dict[type, dict], after: dict[type, dict]) -> None:
        rows = {
            model: [
                Row(before[model].get(pk), after[model].get(pk))
                for pk in before[model] | after[model]
            ]
            for model in TABLES
        }
        (self.execution,) = rows[Execution] or [Row(None, None)]
        self.tasks = rows[TaskResult]
        self.events = sorted(
            (row.new for row in rows[ExecutionEvent] if row.old is None),
            key=lambda e: e["sequence"],
        )
        left = [event["type"] for event in after[ExecutionEvent].values()]
        self.left = {EVENTS: len(left), DELTAS: left.count("delta")}
        spent = rows[SpendEntry]
        self.ledger = {
            RESERVED: Counter(row["task_id"] for row in spent if row.old is None),
            SETTLED: Counter(row["task_id"] for row in spent if _is_settled(row)),
        }
        self.rewritten = [row for row in spent if _is_rewritten(row)]
        self.audit = after[AuditEntry] - before[AuditEntry]

    @property
    def end(self) -> str:
        """What became of rows that are gone."""
        return "deleted" if "workflow.deleted" in self.audit else "forgotten"

    def events_of(self, task: Row) -> list[dict[str, Any]]:
        return [event for event in self.events if event["data"].get("task_id") == task["task_id"]]


def _is_settled(row: Row) -> bool:
    was_open = row.old is None or row.old["settled"] is None
    return was_open and row.new is not None and row.new["settled"] is not None


def _is_rewritten(row: Row) -> bool:
    """Whether an entry changed other than by its one settlement."""
    if row.old is None:
        return False
    return row.new is None or bool(row.changed - ({"settled"} if _is_settled(row) else set()))


class Seen(NamedTuple):
    """A step, and which columns of its row and which totals changed when it was taken."""

    step: Step
    columns: set[str]
    totals: set[str]


class Observer:
    """What was seen so far, and what the table does not say."""

    def __init__(self) -> None:
        self.executions: list[Seen] = []
        self.tasks: list[Seen] = []
        self.problems: list[str] = []
        self._lock = threading.Lock()
        self._called_under: dict[Any, int] = {}
        self._last = _read()

    def watch(self, monkeypatch) -> None:
        """Look after every write of the engine from now on."""
        for kind in Store.__subclasses__():
            for name in WRITES:
                monkeypatch.setattr(kind, name, self._looking(getattr(kind, name)))

    def _looking(self, write):
        def write_and_look(store, *arguments):
            result = write(store, *arguments)
            self.look()
            if threading.current_thread() is not threading.main_thread():
                connection.close()
            return result

        return write_and_look

    def look(self) -> None:
        """Read everything, and tell what happened since the last time."""
        with self._lock:
            before, self._last = self._last, _read()
            found = Difference(before, self._last)
            own = [EXECUTION[name] for name in _execution_steps(found)]
            of_tasks = [
                [TASK[name] for name in self._task_steps(row, found)] for row in found.tasks
            ]
            self._check(found, own, of_tasks)

    def _check(self, found: Difference, own: list[Step], of_tasks: list[list[Step]]) -> None:
        tasks = [step for steps in of_tasks for step in steps]
        totals = tuple(total for step in tasks for total in step.totals)
        counted = ("last_sequence",) if found.events else ()
        self._check_row("the execution", found.execution, own, (*totals, *counted))
        for row, steps in zip(found.tasks, of_tasks, strict=True):
            self._check_row(row["task_id"], row, steps)
            self.tasks += [Seen(step, row.changed, found.execution.changed) for step in steps]
        self.executions += [Seen(step, found.execution.changed, set()) for step in own]

        told = [step for step in own + tasks if EVENT in step.beside or DELTA in step.beside]
        self._expect(len(told) == len(found.events), f"{len(found.events)} events", own + tasks)
        audit = Counter(entry.split("`")[1] for s in own for entry in s.beside if "audit" in entry)
        self._expect(audit == found.audit, f"audit {dict(found.audit)}", own)
        self._expect(not found.rewritten, "entries of the ledger were rewritten", tasks)
        for row, steps in zip(found.tasks, of_tasks, strict=True):
            self._check_ledger(row, found, steps)
        for step in own:
            self._expect(bool(tasks) or TASKS not in step.beside, "no task changed", [step])
            for what, left in found.left.items():
                self._expect(not left or what not in step.beside, f"{what} stay", [step])

    def _check_row(
        self, what: str, row: Row, steps: list[Step], more: tuple[str, ...] = ()
    ) -> None:
        status = row.was
        for step in steps:
            starts = status in step.before if status else not step.before
            self._expect(starts, f"{what} was {status or 'not there'}", [step])
            status = step.after or status
        if row.new:
            self._expect(status == row.new["status"], f"{what} is {row.new['status']}", steps)
        allowed = {*more}.union(*(step.columns for step in steps))
        self._expect(row.changed <= allowed, f"{what}: {row.changed - allowed} written", steps)

    def _check_ledger(self, row: Row, found: Difference, steps: list[Step]) -> None:
        """An entry for each call; a settlement at most, as a task may end without a call."""
        calls = sum(RESERVED in step.beside for step in steps)
        ends = sum(SETTLED in step.beside for step in steps)
        reserved, settled = (found.ledger[word][row["task_id"]] for word in (RESERVED, SETTLED))
        self._expect(reserved == calls, f"{reserved} ledger entries of {row['task_id']}", steps)
        self._expect(settled <= ends, f"{settled} settlements of {row['task_id']}", steps)

    def _expect(self, holds: bool, problem: str, steps: list[Step]) -> None:
        if not holds:
            self.problems.append(f"{problem} in {[step.name for step in steps]}")

    def _task_steps(self, row: Row, found: Difference) -> list[str]:
        if row.new is None:
            return [found.end]
        names: list[str] = []
        status = row.was
        for event in found.events_of(row):
            names.append(self._task_step(row, status, event, found))
            status = event["data"].get("status", status)
        ends = sum(SETTLED in TASK[name].beside for name in names)
        if found.ledger[SETTLED][row["task_id"]] > ends:
            names.insert(0, "billed")
        return names or ([] if row.old else ["created"])

    def _task_step(self, row: Row, status: str, event: dict[str, Any], found: Difference) -> str:
        data = event["data"]
        if event["type"] == "delta":
            return "streamed"
        if not status:
            return "given"
        if data["status"] == "running":
            return self._call(row, status, data, found)
        if data["status"] == "cancelled" and not found.execution["lease_owner"]:
            return "cancelled at once"
        was_cut_off = (status, data["status"]) == ("running", "cancelled")
        return "broken off" if was_cut_off else str(data["status"])

    def _call(self, row: Row, status: str, data: dict[str, Any], found: Difference) -> str:
        if "retry_in" in data:
            return "put off"
        token = found.execution["lease_token"]
        before, self._called_under[row["id"]] = self._called_under.get(row["id"]), token
        if status == "pending":
            return "called" if data["attempts"] else "refused"
        if before != token:
            return "recovered"
        return "passed to a fallback" if "model" in row.changed else "called again"


def _execution_steps(found: Difference) -> list[str]:
    row = found.execution
    if row.new is None:
        return [found.end] if row.old else []
    names = []
    if "history" in row.changed:
        gone = row["history"] == History.NONE
        names.append("history forgotten" if gone else "live text forgotten")
    if row.old and not row["completed_at"]:
        if "lease_token" in row.changed:
            names.append("claimed" if row["lease_owner"] else "handed back")
        elif "lease_expires_at" in row.changed:
            names.append("renewed")
    status = row.was
    for event in found.events:
        if event["type"] == "execution":
            to = event["data"]["status"]
            names.append(_execution_step(row, status, to))
            status = to
    if "cancel_requested_at" in row.changed and "cancelled at once" not in names:
        names.insert(0, "asked to cancel")
    return names


def _execution_step(row: Row, status: str, to: str) -> str:
    if to == "cancelled" and not row["lease_owner"]:
        return "cancelled at once"
    if (status, to) == ("pending", "failed"):
        return "given up"
    return {"pending": "created", "running": "started"}.get(to, to)


def _read() -> dict[type, Any]:
    """All rows by table and id, and how often each action stands in the audit log."""
    rows: dict[type, Any] = {
        model: {row["id"]: row for row in model.objects.values()} for model in TABLES
    }
    entries = AuditEntry.objects.filter(action__in=AUDITED).values_list("action", flat=True)
    return rows | {AuditEntry: Counter(entries)}
