"""One task of a document on its own: what it needs to be previewed and tested."""

from collections.abc import Iterator, Mapping
from typing import Any

from workflows.placeholders import Reference, tokenize

SAMPLE = "A sample stands for this task's answer."


def single_task(document: Mapping[str, Any], task_id: str) -> dict[str, Any]:
    """The document reduced to a task, its agent, and stand-ins for the tasks that it uses.

    The task comes first, so that a problem at `tasks[0]` is its own. Whatever else is wrong with
    the document does not matter here. Works on the raw JSON; `definition.parse` judges the rest.
    """
    tasks = {item.get("id"): item for item in reversed(document.get("tasks", ()))}
    task = tasks.get(task_id)
    if task is None:
        return {"agents": [], "tasks": []}
    references = [token for token in tokenize(_prompt(task)) if isinstance(token, Reference)]
    earlier = set(_ancestors(tasks, task_id))
    named = [name for ref in references if (name := ref.task_id) in earlier]
    # A prompt with placeholders gets nothing but what these bring in; a wrong dependency stays.
    listed = _dependencies(task)
    if references:
        listed = [other for other in listed if other in named or other not in earlier]
    used = dict.fromkeys([*listed, *named])
    agents = [item for item in document.get("agents", ()) if item.get("id") == task.get("agent_id")]
    stand_ins = [
        {"id": other, "name": _name(tasks[other]), "description": SAMPLE, "agent_id": agent["id"]}
        for agent in agents[:1]
        for other in used
        if other in tasks and other != task_id
    ]
    reduced = {
        "agents": [{**agent, "name": _name(agent)} for agent in agents[:1]],
        "tasks": [{**task, "name": _name(task), "dependencies": list(used)}, *stand_ins],
    }
    schema = _schema(document.get("input_schema"), references)
    return {**reduced, "input_schema": schema} if schema else reduced


def _prompt(task: Mapping[str, Any]) -> str:
    prompt = task.get("description")
    return prompt if isinstance(prompt, str) else ""


def _name(item: Mapping[str, Any]) -> Any:
    """Its name, or its id while nobody has named it."""
    name = item.get("name")
    return name if isinstance(name, str) and name.strip() else item.get("id")


def _dependencies(task: Mapping[str, Any]) -> list[str]:
    found = task.get("dependencies")
    return [other for other in found if isinstance(other, str)] if isinstance(found, list) else []


def _ancestors(tasks: Mapping[Any, Mapping[str, Any]], task_id: str) -> Iterator[str]:
    """The tasks that end before this one begins; circles are walked once."""
    seen, waiting = {task_id}, _dependencies(tasks[task_id])
    while waiting:
        other = waiting.pop()
        if other in seen or other not in tasks:
            continue
        seen.add(other)
        yield other
        waiting += _dependencies(tasks[other])


def _schema(schema: Any, references: list[Reference]) -> dict[str, Any] | None:
    """The part of the input schema that these references need; all of it for the whole input."""
    inputs = [ref.steps for ref in references if ref.steps[0] == "input"]
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not inputs or not isinstance(properties, dict) or ("input",) in inputs:
        return schema if inputs else None
    names = {steps[1] for steps in inputs}
    required = schema.get("required")
    return {
        **schema,
        "properties": {name: inner for name, inner in properties.items() if name in names},
        "required": [name for name in required if name in names]
        if isinstance(required, list)
        else [],
    }
