"""The form of the sample values that a task is previewed and tested with."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from django import forms
from django.forms.utils import ErrorDict

from workflows.definition import InputError, WorkflowDefinition
from workflows.drafts import NotJson, plain_lines
from workflows.problems import shorten
from workflows.run_form import InputField, form_field, input_fields, read_value, shown_value

PREFIX = "sample"


class SampleForm(forms.Form):
    """The input that a task uses, and the answers of the tasks before it.

    `document` is what `single_task` made. `inputs` and `outputs` are shown where nothing was
    posted for a field, and `part` keeps the ids of several such forms on one page apart.
    """

    use_required_attribute = False

    def __init__(
        self,
        document: WorkflowDefinition,
        data: Mapping[str, Any],
        *,
        part: str,
        inputs: Mapping[str, Any] | None = None,
        outputs: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__({}, prefix=PREFIX, auto_id=f"id_{part}-%s")
        self.specs = {f"in-{quote(spec.name, safe='')}": spec for spec in input_fields(document)}
        self.tasks = {f"out-{task.id}": task for task in document.tasks[1:]}
        values: dict[str, Any] = {}
        for name, spec in self.specs.items():
            self.fields[name] = form_field(spec)
            self.fields[name].required = True
            values[name] = shown_value(spec, (inputs or {}).get(spec.name, spec.default))
        for name, task in self.tasks.items():
            self.fields[name] = forms.CharField(
                label=f"Answer of “{task.name}”", widget=forms.Textarea(attrs={"rows": 2})
            )
            values[name] = (outputs or {}).get(task.id, "")
        posted = {name: data.get(self.add_prefix(name)) for name in self.fields}
        self.data = {
            self.add_prefix(name): values[name] if posted[name] is None else posted[name]
            for name in self.fields
        }

    def full_clean(self) -> None:
        """Judge nothing: a preview takes what is there, a test says what it misses."""
        self._errors = ErrorDict()
        self.cleaned_data = {}

    def read(self) -> tuple[dict[str, Any], dict[str, str]]:
        """The input and the outputs by task id. Adds an error where a text is not JSON."""
        inputs: dict[str, Any] = {}
        for name, spec in self.specs.items():
            value = self._read(name, spec)
            if value is not None:
                inputs[spec.name] = value
        outputs = {
            task.id: plain_lines(str(self[name].value() or "")) for name, task in self.tasks.items()
        }
        return inputs, outputs

    def _read(self, name: str, spec: InputField) -> Any:
        try:
            return read_value(spec, self[name].value())
        except NotJson as error:
            self.add_error(name, str(error))
            return None

    def require_all(self) -> None:
        """Ask for what is missing: without a value, a placeholder cannot be filled."""
        for name in self.fields:
            is_yes_or_no = name in self.specs and self.specs[name].kind == "boolean"
            if not is_yes_or_no and not str(self[name].value() or "").strip():
                self.add_error(name, "Enter a sample.")

    def place(self, error: InputError) -> None:
        """Put each of the definition's findings at the field that it is about."""
        for problem in error.errors:
            self.add_error(self._field_of(problem["path"]), problem["message"])

    def _field_of(self, path: str) -> str | None:
        for name, spec in self.specs.items():
            place = f"input.{shorten(spec.name)}"
            if path == place or path.startswith((f"{place}.", f"{place}[")):
                return name
        return None
