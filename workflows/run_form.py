"""The form that asks for a run's input, made from what the workflow's document says of it."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from django import forms

from hummbl.models import new_id
from workflows.definition import InputError, WorkflowDefinition
from workflows.drafts import NotJson, plain_lines, read_json_object, read_number
from workflows.forms import cost_cap_field
from workflows.placeholders import Reference
from workflows.problems import shorten

LONG_TEXT: Final = 200
FIELDS, JSON = "fields", "json"
_KINDS: Final = {"string": "text", "number": "number", "integer": "number", "boolean": "boolean"}

_KIND_NAMES: Final = {
    "text": "Text",
    "long": "Text",
    "number": "Number",
    "boolean": "Yes or no",
    "choice": "One of",
    "json": "JSON",
}


@dataclass(frozen=True, slots=True)
class InputField:
    """One thing that a run is given. `kind`: text, long, number, boolean, choice or json."""

    name: str
    kind: str
    label: str
    required: bool
    help_text: str = ""
    default: Any = None
    choices: tuple[Any, ...] = ()

    @property
    def kind_name(self) -> str:
        """The kind for people."""
        return _KIND_NAMES[self.kind]


def input_fields(document: WorkflowDefinition) -> list[InputField]:
    """What to ask for: the schema's properties, or without a schema what the prompts mention."""
    if document.input_schema is None:
        return list(_from_prompts(document))
    schema = document.input_schema
    required = set(schema.get("required", ()))
    return [
        _from_schema(name, inner if isinstance(inner, dict) else {}, name in required)
        for name, inner in schema.get("properties", {}).items()
    ]


def takes_more(document: WorkflowDefinition) -> bool:
    """Whether an input may have more than `input_fields` lists, so that JSON is of use."""
    if document.input_schema is not None:
        return document.input_schema.get("additionalProperties", True) is not False
    return any(reference.steps == ("input",) for reference in _references(document))


def _from_schema(name: str, schema: Mapping[str, Any], required: bool) -> InputField:
    choices = tuple(schema.get("enum", ()))
    kind = "choice" if choices else _KINDS.get(str(schema.get("type")), "json")
    if kind == "text" and _is_long(schema):
        kind = "long"
    label = schema.get("title") or _label(name)
    help_text = schema.get("description", "")
    return InputField(name, kind, label, required, help_text, schema.get("default"), choices)


def _is_long(schema: Mapping[str, Any]) -> bool:
    wanted = schema.get("format") in {"textarea", "multiline", "markdown"}
    return wanted or schema.get("maxLength", 0) > LONG_TEXT or "\n" in str(schema.get("default"))


def _from_prompts(document: WorkflowDefinition) -> Iterator[InputField]:
    found: dict[str, InputField] = {}
    for task in document.tasks:
        for token in task.tokens:
            if not isinstance(token, Reference) or token.steps[0] != "input":
                continue
            name = token.steps[1] if len(token.steps) > 1 else ""
            if name and name not in task.input:
                kind = "json" if len(token.steps) > 2 else "long"
                text = f"Used by {task.name}."
                found.setdefault(name, InputField(name, kind, _label(name), True, text))
    yield from found.values()


def _references(document: WorkflowDefinition) -> Iterator[Reference]:
    for task in document.tasks:
        yield from (token for token in task.tokens if isinstance(token, Reference))


def _label(name: str) -> str:
    return name.replace("_", " ").strip().capitalize() or name


class RunForm(forms.Form):
    """The input of a run, field by field or as JSON, and what it may cost.

    The hidden key makes a second click on Run find the run that the first one started.
    """

    idempotency_key = forms.CharField(
        max_length=255, widget=forms.HiddenInput(attrs={"autocomplete": "off"})
    )
    mode = forms.ChoiceField(choices=[(FIELDS, FIELDS), (JSON, JSON)], widget=forms.HiddenInput)
    cost_cap = cost_cap_field("Cost cap, USD", "The run stops before it spends more.")
    as_json = forms.CharField(
        label="Input, as JSON",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false", "class": "mono"}),
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        document: WorkflowDefinition,
        mode: str = FIELDS,
        input: Mapping[str, Any] | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        self.specs = input_fields(document)
        self.shown = str(data.get("mode")) if data is not None else mode
        given = input or {}
        text = json.dumps(given, indent=2, ensure_ascii=False) if given else ""
        starts: dict[str, Any] = {
            "idempotency_key": str(new_id()),
            "mode": self.shown,
            "as_json": text,
        }
        super().__init__(data, initial={**starts, **(initial or {})})
        if self.shown == JSON:
            return
        del self.fields["as_json"]
        for at, spec in enumerate(self.specs):
            field = form_field(spec)
            field.initial = shown_value(spec, given.get(spec.name, spec.default))
            self.fields[f"input-{at}"] = field

    @property
    def asked(self) -> list[forms.BoundField]:
        """The fields of the input."""
        if self.shown == JSON:
            return [self["as_json"]]
        return [self[f"input-{at}"] for at in range(len(self.specs))]

    def input(self) -> dict[str, Any]:
        """What was typed, as JSON. Adds an error where it is not JSON."""
        if self.shown == JSON:
            typed: dict[str, Any] = self._read(
                "as_json", self.data.get("as_json", ""), read_json_object
            )
            return typed
        found = {}
        for at, spec in enumerate(self.specs):
            name = f"input-{at}"
            value = self._read(name, self[name].value(), partial(read_value, spec))
            if value is not None:
                found[spec.name] = value
        return found

    def _read(self, name: str, raw: Any, reader: Callable[[Any], Any]) -> Any:
        try:
            return reader(raw)
        except NotJson as error:
            if self.is_bound:
                self.add_error(name, str(error))
            return {}

    def renew(self) -> None:
        """Make the next click on Run a run of its own."""
        self.data = {**self.data, "idempotency_key": str(new_id())}

    def place(self, error: InputError) -> None:
        """Put each of the definition's findings at the field that it is about."""
        for problem in error.errors:
            self.add_error(self._field_of(problem["path"]), problem["message"])

    def _field_of(self, path: str) -> str | None:
        if self.shown == JSON:
            return "as_json"
        for at, spec in enumerate(self.specs):
            place = f"input.{shorten(spec.name)}"
            if path == place or path.startswith((f"{place}.", f"{place}[")):
                return f"input-{at}"
        return None


def _read_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise NotJson('This is not JSON, such as [1, 2] or {"name": "x"}.') from None


def read_value(spec: InputField, raw: Any) -> Any:
    """The value in what a form field sent; None for an empty one. Raises NotJson."""
    if spec.kind == "boolean":
        return bool(raw)
    if not isinstance(raw, str) or not raw.strip():
        return None
    if spec.kind == "number":
        return read_number(raw)
    if spec.kind == "choice":
        return next((item for item in spec.choices if json.dumps(item) == raw), raw)
    return _read_json(raw) if spec.kind == "json" else plain_lines(raw)


def form_field(spec: InputField) -> forms.Field:
    """The form field that asks for it."""
    required = spec.required and spec.kind not in {"boolean", "choice"}
    common: dict[str, Any] = {
        "label": spec.label,
        "help_text": spec.help_text,
        "required": required,
    }
    if spec.kind == "boolean":
        return forms.BooleanField(**{**common, "required": False})
    if spec.kind == "choice":
        options = [(json.dumps(item), str(item)) for item in spec.choices]
        empty = [] if spec.required else [("", "–")]
        return forms.CharField(**common, widget=forms.Select(choices=[*empty, *options]))
    if spec.kind == "number":
        attrs = {"inputmode": "decimal", "autocomplete": "off"}
        return forms.CharField(**common, widget=forms.TextInput(attrs=attrs))
    if spec.kind == "text":
        attrs = {"autocomplete": "off"}
        return forms.CharField(**common, strip=False, widget=forms.TextInput(attrs=attrs))
    rows: dict[str, Any] = {"rows": 3}
    if spec.kind == "json":
        rows |= {"spellcheck": "false", "class": "mono"}
    return forms.CharField(**common, strip=False, widget=forms.Textarea(attrs=rows))


def shown_value(spec: InputField, value: Any) -> Any:
    """A value as its form field shows it."""
    if value is None or spec.kind == "boolean":
        return bool(value) if spec.kind == "boolean" else None
    if spec.kind in {"choice", "json"}:
        return json.dumps(value, ensure_ascii=False)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
