"""What holds of an execution, whatever became of the workers that ran it.

Those of ALWAYS hold after every commit, those of AT_THE_END once it has ended too. A rule yields a
sentence for each way in which the rows break it. They say again what the engine is to do instead
of asking it, and are meant for a history of which retention has deleted nothing yet.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal

from soak.evidence import Evidence, settled, spent
from workflows.models.event import task_event_data
from workflows.models.states import (
    TERMINAL_STATUSES,
    TERMINAL_TASK_STATUSES,
    ExecutionStatus,
    TaskStatus,
)

Rule = Callable[[Evidence], Iterator[str]]

NEXT = {
    # Pending again: no key could be looked up while the database was away.
    "pending": {"pending", "running", "skipped", "cancelled"},
    "running": {"running", "completed", "failed", "cancelled"},
}


def ended(evidence: Evidence) -> Iterator[str]:
    """Everything is over."""
    if evidence.execution.status not in TERMINAL_STATUSES:
        yield f"the execution is still {evidence.execution.status}"
    for task_id, task in evidence.tasks.items():
        if task.status not in TERMINAL_TASK_STATUSES:
            yield f"task {task_id} is still {task.status}"


def status(evidence: Evidence) -> Iterator[str]:
    """The execution's status is what its tasks say."""
    execution = evidence.execution
    found = Counter(task.status for task in evidence.tasks.values())
    over = all(status in TERMINAL_TASK_STATUSES for status in found)
    if over != (execution.status in TERMINAL_STATUSES):
        yield f"it is {execution.status}, its tasks are {dict(found)}"
    if execution.status == ExecutionStatus.COMPLETED and set(found) != {TaskStatus.COMPLETED}:
        yield f"it is completed, its tasks are {dict(found)}"
    if execution.status == ExecutionStatus.CANCELLED:
        if not execution.cancel_requested_at:
            yield "it is cancelled, and nobody asked for that"
        if not found[TaskStatus.CANCELLED]:
            yield "it is cancelled, and none of its tasks is"
    if execution.status == ExecutionStatus.FAILED and set(found) == {TaskStatus.COMPLETED}:
        yield "it is failed, and all its tasks are completed"
    if bool(execution.error) != (execution.status == ExecutionStatus.FAILED):
        yield f"it is {execution.status}, its error is “{execution.error}”"


def counts(evidence: Evidence) -> Iterator[str]:
    """ended_count and task_count count."""
    execution = evidence.execution
    over = sum(task.status in TERMINAL_TASK_STATUSES for task in evidence.tasks.values())
    if execution.ended_count != over:
        yield f"ended_count is {execution.ended_count}, and {over} tasks have ended"
    if set(evidence.tasks) != set(evidence.dependencies):
        yield "its tasks are not those of the document"
    if execution.task_count != len(evidence.dependencies):
        yield f"task_count is {execution.task_count}"


def times(evidence: Evidence) -> Iterator[str]:
    """Whatever ends has begun before, and nothing ends after the whole."""
    execution = evidence.execution
    if (execution.completed_at is not None) != (execution.status in TERMINAL_STATUSES):
        yield f"it is {execution.status}, completed_at is {execution.completed_at}"
    if execution.status in {"running", "completed", "failed"} and not execution.started_at:
        yield f"it is {execution.status} and was never started"
    for task_id, task in evidence.tasks.items():
        if (task.completed_at is not None) != (task.status in TERMINAL_TASK_STATUSES):
            yield f"task {task_id} is {task.status}, its completed_at is {task.completed_at}"
        if task.started_at and task.completed_at and task.started_at > task.completed_at:
            yield f"task {task_id} ended before it began"
        ends = task.completed_at, execution.completed_at
        if ends[0] and ends[1] and ends[0] > ends[1]:
            yield f"task {task_id} ended after the execution"


def sums(evidence: Evidence) -> Iterator[str]:
    """Cost and tokens are the sums of the tasks."""
    for name in ("cost", "input_tokens", "output_tokens"):
        total = sum((getattr(t, name) for t in evidence.tasks.values()), Decimal(0))
        whole = getattr(evidence.execution, name)
        if whole != total:
            yield f"{name} is {whole}, that of the tasks is {total}"


def outputs(evidence: Evidence) -> Iterator[str]:
    """Only what is completed has an output, and only what is not has an error."""
    for task_id, task in evidence.tasks.items():
        if task_id in evidence.given:
            continue
        if task.status == TaskStatus.COMPLETED:
            if task.error or task.error_code:
                yield f"task {task_id} is completed with the error “{task.error}”"
            if not (task.attempts and task.model and task.finish_reason and task.started_at):
                yield f"task {task_id} is completed, and nobody was asked"
        elif task.output or task.finish_reason:
            yield f"task {task_id} is {task.status} and has an output"
        if task.status in {"failed", "skipped"} and not (task.error and task.error_code):
            yield f"task {task_id} is {task.status} and does not say why"


def order(evidence: Evidence) -> Iterator[str]:
    """A task begins after all that it waits for is completed, or is skipped for what failed."""
    completed = dict.fromkeys(evidence.given, 0)
    for event in evidence.events:
        if event.type != "task":
            continue
        task_id = event.data["task_id"]
        if event.data["status"] == "running":
            early = [other for other in evidence.dependencies[task_id] if other not in completed]
            if early:
                yield f"task {task_id} ran before {', '.join(early)} (event {event.sequence})"
        elif event.data["status"] == "completed":
            completed.setdefault(task_id, event.sequence)
    for task_id, task in evidence.tasks.items():
        before = [evidence.tasks[other].status for other in evidence.dependencies[task_id]]
        if task.started_at and set(before) - {TaskStatus.COMPLETED}:
            yield f"task {task_id} began although what it waits for is {before}"
        if task.status == TaskStatus.SKIPPED:
            ancestors = evidence.ancestors(task_id)
            if all(evidence.tasks[other].status != TaskStatus.FAILED for other in ancestors):
                yield f"task {task_id} is skipped, and nothing before it failed"


def transitions(evidence: Evidence) -> Iterator[str]:
    """Every step of a task is one that a task may take."""
    for task_id in evidence.tasks.keys() - evidence.given:
        before = "pending"
        for data in evidence.changes(task_id):
            after = data["status"]
            if after not in NEXT.get(before, set()):
                yield f"task {task_id} went from {before} to {after}"
            before = after
    seen = [event.data["status"] for event in evidence.events if event.type == "execution"]
    if seen[:1] != ["pending"] or seen[1:2] not in ([], ["running"], ["cancelled"], ["failed"]):
        yield f"the execution went through {seen}"


def finished_once(evidence: Evidence) -> Iterator[str]:
    """Each task ends once, and so does the execution, last of all."""
    for task_id, task in evidence.tasks.items():
        ends = sum(data["completed_at"] is not None for data in evidence.changes(task_id))
        if ends != (task.status in TERMINAL_TASK_STATUSES):
            yield f"task {task_id} is {task.status}, and has ended {ends} times"
    finals = [e for e in evidence.events if e.type == "execution" and e.data["completed_at"]]
    if len(finals) != (evidence.execution.status in TERMINAL_STATUSES):
        yield f"it is {evidence.execution.status}, and has ended {len(finals)} times"
    elif finals and finals[0] is not evidence.events[-1]:
        yield f"it ended at event {finals[0].sequence} and went on"


def not_run_again(evidence: Evidence) -> Iterator[str]:
    """Nothing happens to a task after its end, and no attempt of it begins."""
    for task_id, task in evidence.tasks.items():
        over = False
        for event in evidence.histories.get(task_id, []):
            if over:
                yield f"task {task_id} had ended before event {event.sequence}"
            over = over or event.data.get("completed_at") is not None
        for entry in evidence.entries_of(task_id):
            if task.completed_at and entry.at > task.completed_at:
                yield f"attempt {entry.attempt} of task {task_id} began after the task's end"


def attempts(evidence: Evidence) -> Iterator[str]:
    """Attempts are counted from 1, and each has begun in the events."""
    for task_id, task in evidence.tasks.items():
        seen = [d["attempts"] for d in evidence.changes(task_id) if d["status"] == "running"]
        begun = list(dict.fromkeys(number for number in seen if number))
        if begun != list(range(1, task.attempts + 1)):
            yield f"task {task_id} has {task.attempts} attempts, its events begin {begun}"


def ledger(evidence: Evidence) -> Iterator[str]:
    """One entry for each attempt, and the costs are the sums of what was settled."""
    for task_id, task in evidence.tasks.items():
        entries = evidence.entries_of(task_id)
        numbers = [entry.attempt for entry in entries]
        if numbers != list(range(1, task.attempts + 1)):
            yield f"task {task_id} has {task.attempts} attempts, the ledger has {numbers}"
        if settled(entries) != task.cost:
            rows = "; ".join(f"{e.attempt}: {e.settled} of {e.reserved}" for e in entries)
            yield f"task {task_id} cost {task.cost}, the ledger says {settled(entries)} ({rows})"
        if task.status == TaskStatus.COMPLETED and entries and entries[-1].settled is None:
            yield f"the last attempt of task {task_id} is not settled"
    if settled(evidence.entries) != evidence.execution.cost:
        yield f"it cost {evidence.execution.cost}, the ledger says {settled(evidence.entries)}"
    if {entry.user_id for entry in evidence.entries} - {evidence.execution.user_id}:
        yield "somebody else pays for it"


def cap(evidence: Evidence) -> Iterator[str]:
    """What was spent or is set aside stays under the cap."""
    limit, amount = evidence.execution.cost_cap, spent(evidence.entries)
    if limit is not None and amount > limit:
        yield f"{amount} are spent or set aside under a cap of {limit}"


def sequence(evidence: Evidence) -> Iterator[str]:
    """The events are numbered from 1 without a gap."""
    numbers = [event.sequence for event in evidence.events]
    last = evidence.execution.last_sequence
    if numbers != list(range(1, last + 1)):
        missing = sorted(set(range(1, last + 1)) - set(numbers))
        yield f"{len(numbers)} events, last_sequence {last}, missing {missing}"


def replay(evidence: Evidence) -> Iterator[str]:
    """Who plays the events back comes to what the rows say."""
    for task_id, task in evidence.tasks.items():
        changes = evidence.changes(task_id)
        if not changes:
            if task.status != TaskStatus.PENDING:
                yield f"task {task_id} is {task.status}, and no event says so"
            continue
        told = {name: value for name, value in changes[-1].items() if name != "retry_in"}
        stored = task_event_data(task)
        names = sorted(n for n in told.keys() | stored.keys() if told.get(n) != stored.get(n))
        # Billed: a call has failed and its fallback is not begun yet.
        is_billed = names == ["cost"] and task.status == TaskStatus.RUNNING
        if names and not is_billed:
            yield f"the last event of task {task_id} differs from its row: {', '.join(names)}"
        pieces = "".join(
            event.data["text"]
            for event in evidence.histories[task_id]
            if event.type == "delta" and event.data["attempt"] == task.attempts
        )
        if pieces and task.status == TaskStatus.COMPLETED and pieces != task.output:
            yield f"the pieces of task {task_id} are not its output"
    states = [event.data for event in evidence.events if event.type == "execution"]
    stored = evidence.execution.event_data()
    if not states or states[-1]["status"] != stored["status"]:
        yield f"it is {stored['status']}, and no event says so"
    elif evidence.execution.is_terminal and states[-1] != stored:
        names = sorted(name for name in stored if states[-1].get(name) != stored[name])
        yield f"the last event differs from its row: {', '.join(names)}"


ALWAYS: dict[str, Rule] = {
    "the status is true": status,
    "the counts are true": counts,
    "the times are true": times,
    "cost and tokens are the sums of the tasks": sums,
    "only completed tasks have outputs": outputs,
    "tasks run in order": order,
    "only allowed transitions": transitions,
    "nothing finishes twice": finished_once,
    "nothing completed runs again": not_run_again,
    "every attempt is counted": attempts,
    "every attempt is in the ledger once": ledger,
    "the cap holds": cap,
    "no gap in the events": sequence,
    "the events lead to the rows": replay,
}
AT_THE_END: dict[str, Rule] = {"everything ends": ended}
