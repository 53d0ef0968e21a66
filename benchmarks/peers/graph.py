"""The documents that HUMMBL is measured with, in the form that runners of peers take."""

from typing import Any

from benchmarks.peers.work import Levels


def diamond() -> Levels:
    """What `benchmarks.engine:diamonds` runs. Needs Django, and so a process of its own."""
    from tests.factories import make_diamond

    return levels(make_diamond())


def levels(definition: dict[str, Any]) -> Levels:
    """The ids of a document's tasks by level.

    Raises ValueError for a graph whose edges are not exactly all those from a level to the next:
    a peer would run other edges than HUMMBL.
    """
    waiting = {task["id"]: set(task["dependencies"]) for task in definition["tasks"]}
    found: Levels = []
    before: set[str] = set()
    while waiting:
        level = [id for id, dependencies in waiting.items() if dependencies == before]
        if not level:
            raise ValueError(f"These tasks do not wait for all of a level: {', '.join(waiting)}.")
        found.append(level)
        before = set(level)
        for id in level:
            del waiting[id]
    return found
