"""Which task waits for which: order, dependents and cycles, in linear time, no recursion."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol


class _Task(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def dependencies(self) -> Sequence[str]: ...


class _Definition(Protocol):
    @property
    def tasks(self) -> Sequence[_Task]: ...


class Graph:
    """The tasks of a valid definition as a graph.

    `order` lists the task ids so that each comes after everything it depends on; ties keep the
    order of the document. `dependencies` and `dependents` hold direct neighbours only.
    """

    __slots__ = ("dependencies", "dependents", "order")

    def __init__(self, definition: _Definition) -> None:
        self.dependencies: dict[str, list[str]] = {
            task.id: list(task.dependencies) for task in definition.tasks
        }
        self.dependents = invert(self.dependencies)
        self.order, cyclic = arrange(self.dependencies)
        if cyclic:
            raise ValueError(f"not a directed acyclic graph: {sorted(cyclic)}")

    def descendants(self, task_id: str) -> list[str]:
        """Everything that waits for this task, directly or not, nearest first."""
        seen = {task_id: None}
        queue = [task_id]
        for current in queue:
            fresh = [name for name in self.dependents[current] if name not in seen]
            seen.update(dict.fromkeys(fresh))
            queue.extend(fresh)
        return queue[1:]


def invert(dependencies: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    dependents: dict[str, list[str]] = {name: [] for name in dependencies}
    for name, needed in dependencies.items():
        for other in needed:
            dependents[other].append(name)
    return dependents


def arrange(dependencies: Mapping[str, Sequence[str]]) -> tuple[list[str], set[str]]:
    """The ids in an order that can run, and those that a cycle keeps from running.

    Kahn's algorithm: take what waits for nothing, strike it out everywhere, repeat.
    """
    dependents = invert(dependencies)
    waiting = {name: len(needed) for name, needed in dependencies.items()}
    order = [name for name, count in waiting.items() if count == 0]
    for name in order:
        for other in dependents[name]:
            waiting[other] -= 1
            if waiting[other] == 0:
                order.append(other)
    return order, set(dependencies).difference(order)


def find_cycles(
    dependencies: Mapping[str, Sequence[str]], blocked: Iterable[str]
) -> list[list[str]]:
    """Cycles among the `blocked` ids that `arrange` left over, each in the order of running.

    Every blocked task has a blocked dependency, so following the first one always ends in a
    cycle. Cycles that share no task are all found in one pass; tangled ones come out one by one
    as they are corrected.
    """
    left = set(blocked)
    seen: set[str] = set()
    cycles = []
    for start in dependencies:
        trail: dict[str, None] = {}
        current = start
        while current in left and current not in seen:
            seen.add(current)
            trail[current] = None
            current = next(name for name in dependencies[current] if name in left)
        if current in trail:
            walked = list(trail)
            cycles.append(walked[walked.index(current) :][::-1])
    return cycles
