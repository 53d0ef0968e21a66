"""A task graph as the pages draw it: nodes with what stands on them, and what each runs after."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
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
    definition: Mapping[str, Any],
    results: Sequence[TaskResult],
    current: str,
    unpriced: Container[str] = (),
) -> list[Node]:
    """The tasks of a run, with what became of each; `unpriced` cost what nobody here knows."""
    names = {result.task_id: result.task_name for result in results}
    after = {task["id"]: task.get("dependencies", []) for task in definition["tasks"]}
    states = {result.task_id: result.status for result in results}
    return [
        Node(
            id=result.task_id,
            name=result.task_name,
            note=_note(result, after.get(result.task_id, ()), states, names, unpriced),
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


def _note(
    result: TaskResult,
    dependencies: Sequence[str],
    states: Mapping[str, str],
    names: Mapping[str, str],
    unpriced: Container[str],
) -> str:
    """What stands under the name of a task of a run."""
    status = result.status
    if is_sample(result):
        return "Given as a sample"
    if status == TaskStatus.COMPLETED:
        cost = "cost unknown" if result.task_id in unpriced else usd(result.cost)
        return f"{duration(result.duration)} · {cost}"
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


def is_sample(result: TaskResult) -> bool:
    """Whether its output was given and not asked for, as before the task that a test runs."""
    return result.status == TaskStatus.COMPLETED and not result.attempts and not result.started_at


_BROKEN = {TaskStatus.FAILED, TaskStatus.SKIPPED, TaskStatus.CANCELLED}


def _names(ids: Iterable[str], names: Mapping[str, str]) -> str:
    return ", ".join(names.get(id, id) for id in ids) or "nothing"
