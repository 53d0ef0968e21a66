"""A task graph as the pages draw it: nodes with what stands on them, and what each runs after."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hummbl.templatetags.ui import duration, usd
from workflows.definition import WorkflowDefinition
from workflows.drafts import Row, split_list
from workflows.graph import arrange
from workflows.models import TaskResult, TaskStatus


@dataclass(frozen=True, slots=True)
class Node:
    """A task on a graph. `status` is empty where nothing runs."""

    id: str
    name: str
    note: str
    dependencies: Sequence[str]
    after: str
    href: str
    status: str = ""
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A task on the timeline: seconds since the run began, and its bar in per cent of the width."""

    result: TaskResult
    start: float | None
    end: float | None
    left: str = "0"
    width: str = "0"
    is_current: bool = False

    @property
    def seconds(self) -> float | None:
        """How long it took, or has taken so far."""
        return None if self.start is None or self.end is None else self.end - self.start


@dataclass(frozen=True, slots=True)
class Timeline:
    """The spans of a run and the marks of its axis, both in seconds."""

    spans: list[Span] = field(default_factory=list)
    marks: list[float] = field(default_factory=list)
    total: float = 0.0


def definition_nodes(document: WorkflowDefinition) -> list[Node]:
    """The tasks of a valid document, with the agent of each."""
    return [
        Node(
            id=task.id,
            name=task.name,
            note=agent_note(document.agents_by_id[task.agent_id].model_dump()),
            dependencies=task.dependencies,
            after=_names(task.dependencies, document.names),
            href=f"#task-{task.id}",
        )
        for task in document.tasks
    ]


def draft_nodes(rows: Mapping[str, list[Row]]) -> list[Node]:
    """The tasks of the editor, which may not be valid: what cannot be drawn is left out."""
    agents = {row["id"]: row for row in rows["agents"]}
    names = {row["id"]: row["name"].strip() or row["id"] for row in rows["tasks"]}
    drawn = _drawable(rows["tasks"])
    nodes: dict[str, Node] = {}
    for at, row in enumerate(rows["tasks"]):
        wanted = drawn[row["id"]]
        agent = agents.get(row["agent_id"])
        node = Node(
            id=row["id"],
            name=names[row["id"]],
            note=agent_note(agent) if agent else "No agent yet",
            dependencies=wanted,
            after=_names(wanted, names),
            href=f"#tasks-{at}",
        )
        nodes.setdefault(node.id, node)
    return list(nodes.values())


def _drawable(tasks: list[Row]) -> dict[str, list[str]]:
    """What each task runs after, without unknown tasks and without circles."""
    after: dict[str, list[str]] = {row["id"]: [] for row in tasks}
    for row in reversed(tasks):
        listed = dict.fromkeys(split_list(row["dependencies"]))
        after[row["id"]] = [other for other in listed if other in after and other != row["id"]]
    _, circling = arrange(after)
    return {
        id: [other for other in listed if not {id, other} <= circling]
        for id, listed in after.items()
    }


def execution_nodes(
    definition: Mapping[str, Any], results: Iterable[TaskResult], current: str
) -> list[Node]:
    """The tasks of a run, with what became of each."""
    results = list(results)
    names = {result.task_id: result.task_name for result in results}
    after = {task["id"]: task.get("dependencies", []) for task in definition["tasks"]}
    states = {result.task_id: result.status for result in results}
    return [
        Node(
            id=result.task_id,
            name=result.task_name,
            note=result_note(result, after.get(result.task_id, ()), states, names),
            dependencies=after.get(result.task_id, ()),
            after=_names(after.get(result.task_id, ()), names),
            href=f"?task={result.task_id}",
            status=result.status,
            is_current=result.task_id == current,
        )
        for result in results
    ]


def agent_note(agent: Mapping[str, Any]) -> str:
    """An agent in one line: its name and its model."""
    return " · ".join(part for part in (agent["name"] or agent["id"], agent["model"]) if part)


def result_note(
    result: TaskResult,
    dependencies: Sequence[str],
    states: Mapping[str, str],
    names: Mapping[str, str],
) -> str:
    """What stands under the name of a task of a run."""
    status = result.status
    if status == TaskStatus.COMPLETED:
        return f"{duration(result.duration)} · {usd(result.cost)}"
    if status == TaskStatus.FAILED:
        tries = f"{result.attempts} attempts · " if result.attempts > 1 else ""
        return tries + (result.error_code or "failed").replace("_", " ")
    if status == TaskStatus.RUNNING:
        return f"Attempt {result.attempts}" if result.attempts > 1 else "Running"
    if status == TaskStatus.SKIPPED:
        failed = next((d for d in dependencies if states.get(d) in _BROKEN), None)
        return f"{names[failed]} {states[failed]}" if failed else "Skipped"
    if status == TaskStatus.PENDING:
        left = sum(states.get(other) != TaskStatus.COMPLETED for other in dependencies)
        return f"After {left} task{'s' if left > 1 else ''}" if left else "Ready"
    return status.capitalize()


_BROKEN = {TaskStatus.FAILED, TaskStatus.SKIPPED, TaskStatus.CANCELLED}


def timeline(execution: Any, results: Sequence[TaskResult], current: str) -> Timeline:
    """When each task of a run began and ended."""
    begun = execution.started_at
    total = execution.duration or 0.0
    spans = []
    for result in results:
        start = end = None
        if begun and result.started_at:
            start = max(0.0, (result.started_at - begun).total_seconds())
            finish = result.completed_at
            end = (finish - begun).total_seconds() if finish else total
        total = max(total, end or 0.0)
        spans.append((result, start, end))
    return Timeline(
        [_span(result, start, end, total, current) for result, start, end in spans],
        [total * share / 3 for share in range(4)] if total else [],
        total,
    )


def _span(
    result: TaskResult, start: float | None, end: float | None, total: float, current: str
) -> Span:
    is_current = result.task_id == current
    if start is None or end is None or not total:
        return Span(result, None, None, is_current=is_current)
    left = min(99.2, start / total * 100)
    width = min(100 - left, max(0.8, (end - start) / total * 100))
    return Span(result, start, end, f"{left:.2f}", f"{width:.2f}", is_current)


def _names(ids: Iterable[str], names: Mapping[str, str]) -> str:
    return ", ".join(names.get(id, id) for id in ids) or "nothing"
