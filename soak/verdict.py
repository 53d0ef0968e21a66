"""The verdict on a database after the storm: which rules are broken, and by which rows."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from soak import evidence, rules
from workflows.models import (
    Execution,
    ExecutionEvent,
    SpendEntry,
    TaskResult,
    Worker,
)
from workflows.models.states import TaskStatus


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that does not hold, the row concerned and how."""

    rule: str
    row: str
    what: str
    execution: Any = None

    def __str__(self) -> str:
        return f"{self.rule}: {self.row}: {self.what}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a client knows of an execution that it asked for.

    `execution` is the id that it was given; None when the call failed, so that there may be one
    or none. `label` stands in the execution's input and tells the executions apart.
    """

    label: str
    execution: Any
    cancelled: bool = False


Asked = Mapping[tuple[str, str], int]  # how often the provider heard of which label and task


def judge(
    receipts: Iterable[Receipt] = (), asked: Asked | None = None, *, alive: bool = False
) -> list[Violation]:
    """All that is wrong in the tables, once every execution should have ended.

    `asked` is what the provider has heard, where that is known. `alive` says that workers still
    run: what is under way has then to be held by one of them instead of being over.
    """
    found = list(look(evidence.read(Execution.objects.with_labels()), at_the_end=not alive))
    found += orphans()
    found += leases()
    found += received(receipts)
    if asked is not None:
        found += heard(asked)
    return found


def look(executions: Iterable[evidence.Evidence], *, at_the_end: bool) -> Iterator[Violation]:
    """What is wrong with each of these executions by itself."""
    chosen = rules.ALWAYS | (rules.AT_THE_END if at_the_end else {})
    for each in executions:
        for name, rule in chosen.items():
            for what in rule(each):
                pk = each.execution.pk
                yield Violation(name, f"execution {pk}", what, pk)


def orphans() -> Iterator[Violation]:
    """Rows of executions and tasks that there are not."""
    rule = "no orphans"
    execution = Execution.objects.filter(pk=OuterRef("execution_id"))
    for model in (TaskResult, ExecutionEvent, SpendEntry):
        # Without an order: that of the events would join the executions.
        lost = model.objects.order_by().filter(~Exists(execution))
        for pk in lost.values_list("pk", flat=True):
            yield Violation(rule, f"{model.__name__} {pk}", "its execution does not exist")
    task = TaskResult.objects.filter(
        execution=OuterRef("execution_id"),
        task_id=OuterRef("task_id"),
        item_index=OuterRef("item_index"),
    )
    for entry in SpendEntry.objects.filter(Exists(execution), ~Exists(task)):
        yield Violation(rule, f"SpendEntry {entry.pk}", f"there is no task {entry.task_id}")


def leases() -> Iterator[Violation]:
    """Leases of executions under way whose worker is dead, and that nobody takes over."""
    living = Worker.objects.alive().values("name")
    held = Execution.objects.under_way().exclude(lease_owner="")
    for execution in held.exclude(lease_owner__in=living):
        yield _lease(execution, "which is dead")
    for execution in held.filter(lease_owner__in=living, lease_expires_at__lt=Now()):
        yield _lease(execution, "which does not renew it")


def _lease(execution: Execution, why: str) -> Violation:
    what = f"held by {execution.lease_owner}, {why}"
    return Violation("no lease of the dead", f"execution {execution.pk}", what)


def received(receipts: Iterable[Receipt]) -> Iterator[Violation]:
    """Executions that a client was promised and that are not there, or are there twice."""
    rule = "what a client was told is there"
    made = Execution.objects.values_list("pk", "input", "status")
    statuses = {pk: status for pk, _, status in made}
    labels = {pk: input.get("run") for pk, input, _ in made}
    times = Counter(labels.values())
    for receipt in receipts:
        row = f"{receipt.label} ({receipt.execution})"
        if times[receipt.label] > 1:
            yield Violation(rule, row, f"there are {times[receipt.label]} of it")
        if receipt.execution is None:
            continue
        if labels.get(receipt.execution) != receipt.label:
            yield Violation(rule, row, "it does not exist")
        elif receipt.cancelled and statuses[receipt.execution] in {"pending", "running"}:
            yield Violation(rule, row, "it goes on although it was cancelled")


def heard(asked: Asked) -> Iterator[Violation]:
    """Calls that no attempt accounts for, and answers that nobody was asked for."""
    rule = "a call for each attempt at most"
    open_calls = Counter(asked)
    for task in TaskResult.objects.select_related("execution"):
        calls = open_calls.pop((task.execution.input.get("run"), task.task_id), 0)
        row = f"task {task.task_id} of execution {task.execution_id}"
        if calls > task.attempts:
            yield Violation(rule, row, f"{calls} calls, {task.attempts} attempts")
        if not calls and task.status == TaskStatus.COMPLETED:
            yield Violation(rule, row, "it is completed, and the provider was never asked")
    for (label, task_id), calls in open_calls.items():
        yield Violation(rule, f"task {task_id} of {label}", f"{calls} calls for a row not there")
