"""Whether a document's parts refer to each other rightly: ids, agents, dependencies, placeholders.

Works on the raw JSON and looks only at what has the right type, so that these problems are
reported beside the misspelt fields and wrong types, all at once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from workflows.graph import arrange, find_cycles
from workflows.placeholders import Reference, malformed, tokenize
from workflows.problems import Problem, did_you_mean, problem, quote, shorten

MAX_TASKS: Final = 500
MAX_EDGES: Final = 2_000
MAX_AGENTS: Final = 100
_CYCLE_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class _RawTask:
    index: int
    id: str
    dependencies: list[tuple[int, str]]
    input: Mapping[str, Any]
    prompt: str
    agent_id: str | None


def check_references(data: Mapping[str, Any]) -> Iterator[Problem]:
    agents, tasks = _entries(data, "agents"), _entries(data, "tasks")
    if len(agents) > MAX_AGENTS or len(tasks) > MAX_TASKS:
        return
    yield from _duplicates("agents", agents)
    yield from _duplicates("tasks", tasks)
    raw = [task for task in (_raw_task(index, item) for index, item in enumerate(tasks)) if task]
    edges = sum(len(task.dependencies) for task in raw)
    if edges > MAX_EDGES:
        message = f"The tasks have {edges} dependencies in all; use at most {MAX_EDGES}."
        yield problem(("tasks",), "too_many_edges", message)
        return
    if isinstance(data.get("agents"), list):
        yield from _agent_problems(raw, _ids(agents))
    yield from _dependency_problems(raw, _ids(tasks))
    first = {task.id: task for task in reversed(raw)}
    dependencies = {task.id: _usable(task, first) for task in raw if first[task.id] is task}
    order, blocked = arrange(dependencies)
    yield from _cycle_problems(first, dependencies, blocked)
    yield from _placeholder_problems(raw, dependencies, order, data.get("input_schema"))


def _entries(data: Mapping[str, Any], name: str) -> list[Any]:
    value = data.get(name)
    return value if isinstance(value, list) else []


def _id_of(item: object) -> str | None:
    value = item.get("id") if isinstance(item, dict) else None
    return value if isinstance(value, str) else None


def _ids(items: list[Any]) -> dict[str, None]:
    return {name: None for name in map(_id_of, items) if name is not None}


def _raw_task(index: int, item: object) -> _RawTask | None:
    name = _id_of(item)
    if name is None or not isinstance(item, dict):
        return None
    given = item.get("dependencies")
    listed = given if isinstance(given, list) else []
    constants, prompt, agent = item.get("input"), item.get("description"), item.get("agent_id")
    return _RawTask(
        index=index,
        id=name,
        dependencies=[(at, other) for at, other in enumerate(listed) if isinstance(other, str)],
        input=constants if isinstance(constants, dict) else {},
        prompt=prompt if isinstance(prompt, str) else "",
        agent_id=agent if isinstance(agent, str) else None,
    )


def _usable(task: _RawTask, known: Mapping[str, _RawTask]) -> list[str]:
    """The dependencies that form the graph: known, other than the task itself, each once."""
    names = dict.fromkeys(other for _, other in task.dependencies)
    return [name for name in names if name in known and name != task.id]


def _duplicates(place: str, items: list[Any]) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, item in enumerate(items):
        name = _id_of(item)
        if name is None:
            continue
        if name in seen:
            message = f"{quote(name)} is already the id of {place}[{seen[name]}]; choose another."
            yield problem((place, index, "id"), "duplicate_id", message)
        seen.setdefault(name, index)


def _agent_problems(tasks: list[_RawTask], agents: Mapping[str, None]) -> Iterator[Problem]:
    for task in tasks:
        if task.agent_id is not None and task.agent_id not in agents:
            message = f"There is no agent {quote(task.agent_id)}." + (
                did_you_mean(task.agent_id, agents) or " Add it, or name one of the agents."
            )
            yield problem(("tasks", task.index, "agent_id"), "unknown_agent", message)


def _dependency_problems(tasks: list[_RawTask], known: Mapping[str, None]) -> Iterator[Problem]:
    for task in tasks:
        seen: set[str] = set()
        for at, other in task.dependencies:
            loc = ("tasks", task.index, "dependencies", at)
            if other == task.id:
                message = f"Task {quote(other)} cannot wait for itself; remove it here."
                yield problem(loc, "self_dependency", message)
            elif other in seen:
                message = f"{quote(other)} is listed twice; remove it here."
                yield problem(loc, "duplicate_dependency", message)
            elif other not in known:
                message = f"There is no task {quote(other)}." + (
                    did_you_mean(other, known) or " Add it, or remove it here."
                )
                yield problem(loc, "unknown_dependency", message)
            seen.add(other)


def _cycle_problems(
    tasks: Mapping[str, _RawTask], dependencies: Mapping[str, list[str]], blocked: set[str]
) -> Iterator[Problem]:
    for found in find_cycles(dependencies, blocked):
        start = found.index(min(found, key=lambda name: tasks[name].index))
        cycle = found[start:] + found[:start]
        first, needed = tasks[cycle[0]], cycle[-1]
        at = next(at for at, name in first.dependencies if name == needed)
        message = f"These tasks wait for each other: {_trail(cycle)}. Remove one dependency."
        yield problem(("tasks", first.index, "dependencies", at), "cycle", message)


def _trail(cycle: list[str]) -> str:
    names = [shorten(name) for name in (*cycle, cycle[0])]
    if len(names) > _CYCLE_SHOWN:
        names[_CYCLE_SHOWN - 2 : -2] = ["…"]
    return " → ".join(names)


def _placeholder_problems(
    tasks: list[_RawTask],
    dependencies: Mapping[str, list[str]],
    order: list[str],
    schema: object,
) -> Iterator[Problem]:
    bit = {name: 1 << at for at, name in enumerate(dependencies)}
    before: dict[str, int] = {}
    for name in order:
        before[name] = 0
        for other in dependencies[name]:
            before[name] |= before[other] | bit[other]
    declared = _declared_inputs(schema)
    for task in tasks:
        if "{{" not in task.prompt:
            continue
        for reference in dict.fromkeys(tokenize(task.prompt)):
            if isinstance(reference, str):
                continue
            reason = (
                malformed(reference)
                or _input_reason(reference, task, declared)
                or _task_reason(reference, task, bit, before.get(task.id))
            )
            if reason:
                yield problem(("tasks", task.index, "description"), "unknown_placeholder", reason)


def _declared_inputs(schema: object) -> dict[str, Any] | None:
    """The names an input may have; None when the schema does not limit them."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(schema, dict) or not isinstance(properties, dict):
        return None
    return None if schema.get("additionalProperties") not in (None, False) else properties


def _input_reason(
    reference: Reference, task: _RawTask, declared: dict[str, Any] | None
) -> str | None:
    if declared is None or reference.steps[0] != "input" or len(reference.steps) < 2:
        return None
    name = reference.steps[1]
    if name in declared or name in task.input:
        return None
    return f"{quote('input.' + name)} is not declared." + (
        did_you_mean(name, [*declared, *task.input])
        or f' Add {quote(name)} to the properties of "input_schema".'
    )


def _task_reason(
    reference: Reference, task: _RawTask, bit: Mapping[str, int], before: int | None
) -> str | None:
    name = reference.task_id
    if name is None:
        return None
    if name not in bit:
        return f"There is no task {quote(name)}." + (
            did_you_mean(name, bit) or " Name a task that this one depends on."
        )
    if name == task.id:
        return "A task cannot use its own output; remove the placeholder."
    if before is None or before & bit[name]:
        return None
    return (
        f"Task {quote(task.id)} does not wait for {quote(name)}: add {quote(name)} to its "
        "dependencies."
    )
