"""What changed between two documents of a workflow, in words that a person can follow.

Agents and tasks are told apart by their ids. One whose id changed is recognised by the rest of
it, and what refers to the new id instead of the old one has not changed by that.
"""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from pydantic_core import PydanticUndefined

from workflows.changes.text import Piece, TextDiff
from workflows.definition import Agent, Task
from workflows.problems import path_of

Kind = Literal["added", "removed", "changed", "moved"]
Item = Mapping[str, Any]
Pair = tuple[int, int]

LONG_TEXTS: Final = frozenset({"description", "instructions"})
_REFERENCES: Final = frozenset({"agent_id", "dependencies"})
_NOUNS: Final = {"agents": "Agent", "tasks": "Task"}
DEFAULTS: Final[dict[str, dict[str, Any]]] = {
    kind: {
        name: field.get_default(call_default_factory=True)
        for name, field in model.model_fields.items()
        if field.default is not PydanticUndefined
    }
    for kind, model in (("agents", Agent), ("tasks", Task))
}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs.

    `path` is the place in the newer document, of what was removed in the older one. `subject`
    names the agent, task or input for people; `field` is empty when all of it was added or
    removed, and `position` (from 1) when it moved in its list. `text` has the words of a long
    text that changed.
    """

    kind: Kind
    path: str
    subject: str
    field: str
    before: Any
    after: Any
    text: tuple[Piece, ...] = ()


def compare(before: Item, after: Item) -> list[Change]:
    """What it takes to get from one document to the other: agents, then tasks, then the input."""
    return list(_Comparison().documents(before, after))


def counts(changes: Sequence[Change]) -> dict[str, int]:
    """How many there are of each kind."""
    found = Counter(change.kind for change in changes)
    return {kind: found[kind] for kind in get_args(Kind)}


class _Comparison:
    """The walk through two documents; knows which ids became which on the way."""

    def __init__(self) -> None:
        self._texts = TextDiff()
        self._renamed: dict[str, dict[str, str]] = {"agents": {}, "tasks": {}}

    def documents(self, before: Item, after: Item) -> Iterator[Change]:
        for kind in ("agents", "tasks"):
            old = [_completed(kind, item) for item in before[kind]]
            new = [_completed(kind, item) for item in after[kind]]
            yield from self._lists(kind, old, new)
        yield from self._schemas(before.get("input_schema"), after.get("input_schema"))

    def _lists(self, kind: str, old: Sequence[Item], new: Sequence[Item]) -> Iterator[Change]:
        pairs = _pairs(old, new)
        self._renamed[kind] = {old[i]["id"]: new[j]["id"] for i, j in pairs}
        kept_old, kept_new = {i for i, _ in pairs}, {j: i for i, j in pairs}
        moved = _moved(pairs)
        for i, item in enumerate(old):
            if i not in kept_old:
                yield Change("removed", path_of((kind, i)), _subject(kind, item), "", item, None)
        for j, item in enumerate(new):
            where, subject = (kind, j), _subject(kind, item)
            if j not in kept_new:
                yield Change("added", path_of(where), subject, "", None, item)
                continue
            i = kept_new[j]
            if j in moved:
                yield Change("moved", path_of(where), subject, "position", i + 1, j + 1)
            for name in dict.fromkeys((*old[i], *item)):
                given, wanted = old[i].get(name), item.get(name)
                if self._follow(name, given) != wanted:
                    yield self._changed((*where, name), subject, given, wanted)

    def _follow(self, name: str, value: Any) -> Any:
        """A reference as it would read had nothing but ids changed; any other value as it is."""
        if name == "agent_id":
            return self._renamed["agents"].get(value, value)
        if name == "dependencies":
            return [self._renamed["tasks"].get(id, id) for id in value]
        return value

    def _changed(self, where: tuple[str | int, ...], subject: str, old: Any, new: Any) -> Change:
        field = str(where[-1])
        is_long = field in LONG_TEXTS and isinstance(old, str) and isinstance(new, str)
        text = tuple(self._texts.pieces(old, new)) if is_long else ()
        return Change("changed", path_of(where), subject, field, old, new, text)

    def _schemas(self, old: Item | None, new: Item | None) -> Iterator[Change]:
        where, subject = "input_schema", "Input schema"
        if old is None or new is None:
            if old != new:
                kind: Kind = "added" if old is None else "removed"
                yield Change(kind, where, subject, "", old, new)
            return
        yield from self._inputs(_properties(old), _properties(new))
        for name in dict.fromkeys((*old, *new)):
            if name != "properties" and old.get(name) != new.get(name):
                yield self._changed((where, name), subject, old.get(name), new.get(name))

    def _inputs(self, old: Item, new: Item) -> Iterator[Change]:
        for name in dict.fromkeys((*old, *new)):
            where, subject = ("input_schema", "properties", name), f"Input “{name}”"
            given, wanted = old.get(name), new.get(name)
            if name not in old:
                yield Change("added", path_of(where), subject, "", None, wanted)
            elif name not in new:
                yield Change("removed", path_of(where), subject, "", given, None)
            elif not (isinstance(given, dict) and isinstance(wanted, dict)):
                if given != wanted:
                    yield Change("changed", path_of(where), subject, "", given, wanted)
            else:
                for field in dict.fromkeys((*given, *wanted)):
                    if given.get(field) != wanted.get(field):
                        inner = (*where, field)
                        yield self._changed(inner, subject, given.get(field), wanted.get(field))


def _completed(kind: str, item: Item) -> Item:
    """With the defaults of fields that came after it was stored."""
    missing = {name: value for name, value in DEFAULTS[kind].items() if name not in item}
    return {**item, **missing}


def _subject(kind: str, item: Item) -> str:
    return f"{_NOUNS[kind]} “{item['name']}”"


def _properties(schema: Item) -> Item:
    found = schema.get("properties")
    return found if isinstance(found, dict) else {}


def _pairs(old: Sequence[Item], new: Sequence[Item]) -> list[Pair]:
    """Which old item became which new one, as places in their lists, in the new order."""
    pairs: list[Pair] = []
    left_old, left_new = list(range(len(old))), list(range(len(new)))
    for mark in (_id, _all_but_id, _all_but_names, _prompt, _name):
        found = _alike(mark, [(i, old[i]) for i in left_old], [(j, new[j]) for j in left_new])
        pairs += found
        left_old = sorted(set(left_old) - {i for i, _ in found})
        left_new = sorted(set(left_new) - {j for _, j in found})
        if not left_old or not left_new:
            break
    return sorted(pairs, key=lambda pair: pair[1])


def _alike(
    mark: Callable[[Item], Hashable],
    old: Sequence[tuple[int, Item]],
    new: Sequence[tuple[int, Item]],
) -> list[Pair]:
    """Those that bear the same mark, in order; an empty mark is none."""
    waiting: dict[Hashable, list[int]] = {}
    for i, item in reversed(old):
        waiting.setdefault(mark(item), []).append(i)
    waiting.pop("", None)
    return [(places.pop(), j) for j, item in new if (places := waiting.get(mark(item)))]


def _id(item: Item) -> Hashable:
    return str(item["id"])


def _name(item: Item) -> Hashable:
    return str(item["name"])


def _prompt(item: Item) -> Hashable:
    """A task's prompt or an agent's instructions."""
    return str(item["instructions"] if "instructions" in item else item["description"])


def _all_but_id(item: Item) -> Hashable:
    return _without(item, {"id"})


def _all_but_names(item: Item) -> Hashable:
    return _without(item, {"id", "name"})


def _without(item: Item, names: set[str]) -> Hashable:
    rest = {key: value for key, value in item.items() if key not in names | _REFERENCES}
    return json.dumps(rest, sort_keys=True)


def _moved(pairs: Sequence[Pair]) -> set[int]:
    """The new places of the fewest items whose move explains the new order.

    What stays is a longest run of items whose old places ascend, found by patience sorting.
    """
    tops: list[int] = []
    ends: list[int] = []
    before: dict[int, int | None] = {}
    for at, (i, _) in enumerate(pairs):
        pile = bisect_left(tops, i)
        before[at] = ends[pile - 1] if pile else None
        tops[pile : pile + 1] = [i]
        ends[pile : pile + 1] = [at]
    stays: set[int] = set()
    step = ends[-1] if ends else None
    while step is not None:
        stays.add(step)
        step = before[step]
    return {j for at, (_, j) in enumerate(pairs) if at not in stays}
