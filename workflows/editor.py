"""The editor of a workflow: forms around a document that may not be valid yet."""

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import QueryDict

from accounts.models import User
from workflows import definition, drafts
from workflows.drafts import NotJson, Row
from workflows.forms import DetailsForm, Part, new_agent, new_task
from workflows.models import Workflow, WorkflowVersion
from workflows.problems import Problem

_ACTION = re.compile(r"(add|open|remove|duplicate|up|down)_(agent|task)(?:-(\d{1,6}))?", re.ASCII)
_PATH = re.compile(r"(agents|tasks)\[(\d+)\](?:\.(\w+))?(.*)", re.DOTALL)

# With more agents or tasks than this, the closed ones are sent without their fields.
UNFOLDED: Final = 8
MAX_ROWS: Final = 1_000_000


class Editor:
    """The whole form of a workflow: details, agents and tasks, with every error at its field.

    Works on what was posted, or on the current version. `errors` lists what to correct as
    (label, sentence, id of the field), for the summary at the top.
    """

    def __init__(
        self, *, user: User, workflow: Workflow | None, data: QueryDict | None = None
    ) -> None:
        self.user, self.workflow = user, workflow
        self.errors: list[tuple[str, str, str]] = []
        if data is not None:
            self.rows = drafts.read_rows(data)
            drafts.settle_ids(self.rows)
        elif workflow:
            self.rows = drafts.from_document(self._current().definition)
        else:
            self.rows = _starter_rows()
        self.details = DetailsForm(data, instance=workflow, initial=self._initial())
        self._build()
        if not workflow:
            for kind in self.rows:
                for at in range(len(self.rows[kind])):
                    self._part(kind, at).is_open = True

    def _current(self) -> WorkflowVersion:
        assert self.workflow is not None
        assert self.workflow.current_version is not None
        return self.workflow.current_version

    def _initial(self) -> dict[str, Any]:
        if not self.workflow:
            return {}
        version = self._current()
        schema = version.definition.get("input_schema")
        text = json.dumps(schema, indent=2, ensure_ascii=False) if schema is not None else ""
        cap = self.workflow.cost_cap
        shown = None if cap is None else f"{cap.normalize():f}"
        return {"version": version.number, "input_schema": text, "cost_cap": shown}

    def _build(self) -> None:
        choices = [(row["id"], _agent_label(row)) for row in self.rows["agents"]]
        self.agents = [Part("agents", at, row) for at, row in enumerate(self.rows["agents"])]
        self.tasks = [Part("tasks", at, row, choices) for at, row in enumerate(self.rows["tasks"])]

    def fold(self) -> None:
        """Leave the fields of closed parts to be made when they are opened, if there are many."""
        for kind, rows in self.rows.items():
            for at in range(len(rows) if len(rows) > UNFOLDED else 0):
                part = self._part(kind, at)
                part.is_folded = not part.is_open

    # --- Buttons ----------------------------------------------------------------------------

    def act(self, action: str) -> str:
        """Do what a button other than Save asks: `add_agent`, `up_task-3`, `duplicate_task-3`.

        Returns the id of the element to go to.
        """
        # Not bound any more: nobody has asked to save, so nothing is wrong yet.
        typed = {name: self.details[name].value() for name in self.details.fields}
        self.details = DetailsForm(instance=self.workflow, initial=typed)
        match = _ACTION.fullmatch(action)
        if not match:
            return "main"
        kind = f"{match[2]}s"
        if match[1] == "add":
            return self._insert(kind, len(self.rows[kind]), self._blank(kind))
        at = int(match[3] or MAX_ROWS)
        if at >= len(self.rows[kind]):
            return kind
        return self._actions[match[1]](kind, at)

    @property
    def _actions(self) -> dict[str, Callable[[str, int], str]]:
        return {
            "open": self._open,
            "remove": self._remove,
            "duplicate": self._duplicate,
            "up": partial(self._move, by=-1),
            "down": partial(self._move, by=1),
        }

    def _blank(self, kind: str) -> Row:
        first = self.rows["agents"][0]["id"] if self.rows["agents"] else ""
        return new_agent() if kind == "agents" else new_task(first)

    def _insert(self, kind: str, at: int, row: Row) -> str:
        self.rows[kind].insert(at, row)
        drafts.settle_ids(self.rows)
        self._build()
        return self._open(kind, at)

    def _open(self, kind: str, at: int) -> str:
        self._part(kind, at).is_open = True
        return f"id_{kind}-{at}-name"

    def _duplicate(self, kind: str, at: int) -> str:
        row = self.rows[kind][at]
        return self._insert(
            kind, at + 1, {**row, "id": "", "name": f"{row['name'] or row['id']} copy"}
        )

    def _move(self, kind: str, at: int, *, by: int) -> str:
        rows, to = self.rows[kind], at + by
        if not 0 <= to < len(rows):
            return f"{kind}-{at}-title"
        rows[at], rows[to] = rows[to], rows[at]
        self._build()
        return f"{kind}-{to}-title"

    def _remove(self, kind: str, at: int) -> str:
        gone = self.rows[kind].pop(at)["id"]
        if kind == "tasks":
            for row in self.rows["tasks"]:
                left = [d for d in drafts.split_list(row["dependencies"]) if d != gone]
                row["dependencies"] = ", ".join(left)
        self._build()
        return kind

    # --- Saving -----------------------------------------------------------------------------

    def document(self) -> dict[str, Any]:
        """The JSON of what was typed. Adds an error for each text that is not JSON."""
        document: dict[str, Any] = {
            kind: [self._item(kind, at) for at in range(len(self.rows[kind]))]
            for kind in ("agents", "tasks")
        }
        try:
            schema = drafts.read_json_object(self.details["input_schema"].value() or "")
        except NotJson as error:
            schema = {}
            self._add_error(self.details, "input_schema", str(error))
        if schema:
            document["input_schema"] = schema
        return document

    def _item(self, kind: str, at: int) -> dict[str, Any]:
        row = self.rows[kind][at]
        try:
            return drafts.to_item(kind, row)
        except NotJson as error:
            self._add_part_error(self._part(kind, at), "extra", str(error))
            return drafts.to_item(kind, {**row, "extra": ""})

    def save(self, *, overwrite: bool = False) -> Workflow | None:
        """Store what was typed, in a new version if the document changed; None with errors.

        Raises StaleVersion when the form was made from an older version, unless `overwrite`.
        """
        document = self.check()
        return None if document is None else self._store(document, overwrite)

    def check(self) -> dict[str, Any] | None:
        """The document of what was typed; None, and everything to correct in `errors`."""
        valid, document = self.details.is_valid(), self.document()
        for name, sentences in self.details.errors.items():
            if name == NON_FIELD_ERRORS:
                self.errors.append(("Workflow", str(sentences[0]), "main"))
            elif name != "input_schema":
                self._note(self.details, name, str(sentences[0]))
        try:
            definition.parse(document)
        except definition.DefinitionError as error:
            self._place(error.errors)
        return None if self.errors or not valid else document

    def _store(self, document: dict[str, Any], overwrite: bool) -> Workflow:
        fields = {name: self.details.cleaned_data[name] for name in DetailsForm.Meta.fields}
        if not self.workflow:
            return Workflow.create_with(owner=self.user, definition=document, **fields)
        # A form that names no version was made from none: 0 is never current.
        expected = None if overwrite else self.details.cleaned_data["version"] or 0
        self.workflow.change(fields, document, by=self.user, expected=expected)
        return self.workflow

    # --- Errors -----------------------------------------------------------------------------

    def _place(self, problems: list[Problem]) -> None:
        for problem in problems:
            match = _PATH.fullmatch(problem["path"])
            if match and int(match[2]) < len(self.rows[match[1]]):
                self._place_in_row(match, problem["message"])
            elif problem["path"].startswith("input_schema"):
                inner = problem["path"].removeprefix("input_schema").lstrip(".")
                message = f"{inner}: {problem['message']}" if inner else problem["message"]
                self._add_error(self.details, "input_schema", message)
            else:
                target = problem["path"] if problem["path"] in self.rows else "main"
                self.errors.append((target.capitalize(), problem["message"], target))

    def _place_in_row(self, match: re.Match[str], message: str) -> None:
        kind, at, name = match[1], int(match[2]), match[3] or "extra"
        part = self._part(kind, at)
        if name not in part.form.fields:
            name, message = "extra", f"{match[3]}{match[4]}: {message}"
        self._add_part_error(part, name, message)

    def _part(self, kind: str, at: int) -> Part:
        return self.agents[at] if kind == "agents" else self.tasks[at]

    def _add_part_error(self, part: Part, name: str, message: str) -> None:
        part.is_open = True
        noun = "Agent" if part.kind == "agents" else "Task"
        self._add_error(part.form, name, message, of=f"{noun} {part.title}, ")

    def _add_error(self, form: forms.BaseForm, name: str, message: str, *, of: str = "") -> None:
        if message not in form.errors.get(name, ()):
            form.add_error(name, message)
            self._note(form, name, message, of=of)

    def _note(self, form: forms.BaseForm, name: str, message: str, *, of: str = "") -> None:
        label = str(form.fields[name].label or name.capitalize())
        target = form[name].id_for_label
        self.errors.append((f"{of}{label.lower()}" if of else label, message, target))


def _starter_rows() -> dict[str, list[Row]]:
    """What an empty form begins with: one agent and one task, ready to be named."""
    agent = {**new_agent(), "id": "assistant", "name": "Assistant"}
    return {"agents": [agent], "tasks": [{**new_task("assistant"), "id": "task_1"}]}


def _agent_label(row: Row) -> str:
    return " · ".join(part for part in (row["name"].strip() or row["id"], row["model"]) if part)
