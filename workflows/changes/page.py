"""The changes between two versions as a page shows them: by subject, as lines of old and new."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

from workflows.changes import DEFAULTS, Change, compare
from workflows.changes.text import Piece, TextDiff

Document = Mapping[str, Any]

# Unchanged lines shown around a change; more than a few between two changes are folded.
_AROUND: Final = 2
_SHORT: Final = 40
_LABELS: Final = {
    "agent_id": "Agent",
    "dependencies": "Runs after",
    "max_retries": "Retries",
    "max_tokens": "Longest answer, tokens",
    "timeout_seconds": "Time-out, seconds",
}
_ORDER: Final = ("agents", "tasks", "input_schema")
_TITLES: Final = {
    "agents": ("Agents", "agent"),
    "tasks": ("Tasks", "task"),
    "input_schema": ("Input", "input"),
}
_EMPTY: Final[tuple[Any, ...]] = ("", [], {}, None)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text; or, with `folded`, that many unchanged ones in its place."""

    pieces: Sequence[Piece] = ()
    folded: int = 0

    @property
    def is_marked(self) -> bool:
        """Whether something in it was removed or added."""
        return any(piece.kind != "same" for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field as it was and as it is; no lines where it did not exist."""

    label: str
    before: list[Line]
    after: list[Line]

    @property
    def is_short(self) -> bool:
        """Whether it needs no more than a line of a few words."""
        lines = (*self.before, *self.after)
        return len(lines) == 1 and sum(len(piece.text) for piece in lines[0].pieces) < _SHORT


@dataclass(slots=True)
class SubjectChange:
    """All that changed about one agent, task or input."""

    title: str
    path: str
    kind: str
    fields: list[FieldChange] = field(default_factory=list)
    moved: tuple[int, int] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all of it came or went, so that there are no two sides."""
        return self.kind in {"added", "removed"}


@dataclass(frozen=True, slots=True)
class Group:
    """The subjects of one kind that changed; `noun` is one of them."""

    title: str
    noun: str
    subjects: list[SubjectChange]


def groups(before: Document, after: Document) -> list[Group]:
    """Agents, tasks and input, as far as they differ."""
    page = _Page(before, after)
    found: dict[str, list[SubjectChange]] = {kind: [] for kind in _ORDER}
    for (path, _), changes in groupby(compare(before, after), _place):
        found[_kind_of(path)].append(page.subject(path, list(changes)))
    return [Group(*_TITLES[kind], subjects) for kind, subjects in found.items() if subjects]


def _kind_of(path: str) -> str:
    return next(kind for kind in _ORDER if path.startswith(kind))


def _place(change: Change) -> tuple[str, bool]:
    """Where its subject stands, and whether that is in the older document."""
    is_field = change.kind == "changed"
    path = change.path.removesuffix(f".{change.field}") if is_field else change.path
    return path, change.kind == "removed"


class _Page:
    """Writes the values of two documents as lines."""

    def __init__(self, before: Document, after: Document) -> None:
        self._texts = TextDiff()
        self._agents, self._tasks = (
            [{part["id"]: part["name"] for part in document[kind]} for document in (before, after)]
            for kind in ("agents", "tasks")
        )

    def subject(self, path: str, changes: Sequence[Change]) -> SubjectChange:
        first = changes[0]
        kinds = {change.kind for change in changes}
        shown = SubjectChange(first.subject, path, "changed" if len(kinds) > 1 else first.kind)
        for change in changes:
            if change.kind == "moved":
                shown.moved = (change.before, change.after)
            elif change.field:
                shown.fields.append(self._changed(change))
            else:
                shown.fields += self._whole(change)
        return shown

    def _changed(self, change: Change) -> FieldChange:
        pieces: Sequence[Piece] = change.text
        if not pieces:
            old = self._written(change.field, change.before, 0)
            new = self._written(change.field, change.after, 1)
            pieces = self._pieces(old, new)
        label = _label(change.field, is_task=change.path.startswith("tasks"))
        return FieldChange(label, _side(pieces, "removed"), _side(pieces, "added"))

    def _pieces(self, old: str, new: str) -> Sequence[Piece]:
        if "\n" in old + new:
            return self._texts.pieces(old, new)
        return [Piece("removed", old), Piece("added", new)]

    def _whole(self, change: Change) -> Iterator[FieldChange]:
        """What was added or removed, field by field, without what is empty or the default."""
        kind, _, name = change.path.partition("[")
        if change.kind == "changed" or not name:
            yield self._schema(change)
            return
        side = 0 if change.kind == "removed" else 1
        item = change.after if side else change.before
        for name, value in item.items():
            if name == "name" or value in _EMPTY or DEFAULTS[kind].get(name) == value:
                continue
            text, label = self._written(name, value, side), _label(name, is_task=kind == "tasks")
            if side:
                yield FieldChange(label, [], _side([Piece("added", text)], "added"))
            else:
                yield FieldChange(label, _side([Piece("removed", text)], "removed"), [])

    def _schema(self, change: Change) -> FieldChange:
        old, new = (self._written("", value, 0) for value in (change.before, change.after))
        pieces = self._pieces(old, new)
        return FieldChange("JSON Schema", _side(pieces, "removed"), _side(pieces, "added"))

    def _written(self, name: str, value: Any, side: int) -> str:
        """A value for people; ids of agents and tasks as their names."""
        if name == "agent_id":
            return str(self._agents[side].get(value, value))
        if name == "dependencies":
            return ", ".join(self._tasks[side].get(id, id) for id in value) or "Nothing"
        if value in _EMPTY:
            return ""
        if isinstance(value, bool):
            return "Yes" if value else "No"
        if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
            return ", ".join(value)
        if isinstance(value, dict | list):
            return json.dumps(value, indent=2, ensure_ascii=False)
        return str(value)


def _label(name: str, *, is_task: bool) -> str:
    if name == "description" and is_task:
        return "Prompt"
    return _LABELS.get(name) or name.replace("_", " ").capitalize()


def _side(pieces: Iterable[Piece], kind: str) -> list[Line]:
    """The lines of the old text, by `removed`, or of the new one, by `added`."""
    lines: list[list[Piece]] = [[]]
    touched: set[int] = set()
    for piece in pieces:
        if piece.kind != "same":
            touched.add(len(lines) - 1)
        if piece.kind not in ("same", kind):
            continue
        first, *rest = piece.text.split("\n")
        lines[-1].append(Piece(piece.kind, first))
        lines += [[Piece(piece.kind, text)] for text in rest]
        if piece.kind != "same":
            touched.update(range(len(lines) - len(rest), len(lines)))
    kept = [Line([piece for piece in line if piece.text]) for line in lines]
    if not kept[-1].pieces:
        kept.pop()
    return list(_folded(kept, touched))


def _folded(lines: Sequence[Line], touched: Iterable[int]) -> Iterator[Line]:
    """Leave out long stretches without a change, but for a little around each change."""
    near = {at + step for at in touched for step in range(-_AROUND, _AROUND + 1)}
    at = 0
    while at < len(lines):
        end = at
        while end < len(lines) and end not in near:
            end += 1
        if end - at > _AROUND:
            yield Line(folded=end - at)
        else:
            yield from lines[at:end]
        yield from lines[end : end + 1]
        at = end + 1
