"""The form that takes a workflow in as a file or as pasted text."""

from typing import Any, Final

from django import forms
from django.core.files.uploadedfile import UploadedFile

from accounts.models import User
from workflows import portable
from workflows.definition import DefinitionError
from workflows.drafts import NotJson, plain_lines, read_json_object
from workflows.models import Workflow
from workflows.problems import Problem

_BYTE_ORDER_MARK: Final = "\ufeff"


class _EitherFile(forms.FileField):
    """One of two ways in: `required` is for the label alone."""

    def clean(self, data: Any, initial: Any = None) -> Any:
        """The upload, if there is one."""
        return super().clean(data, initial) if data else None


class _EitherText(forms.CharField):
    """The other way in."""

    def validate(self, value: Any) -> None:
        """Accept anything: what makes it no workflow is said by `workflows.portable`."""


class ImportForm(forms.Form):
    """A file, or its text. `problems` lists what makes it no workflow."""

    use_required_attribute = False

    file = _EitherFile(
        label="File",
        help_text="A .json file of at most 1 MB, as Export saves it.",
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
    )
    text = _EitherText(
        label="Or paste its text",
        strip=False,
        widget=forms.Textarea(
            attrs={"rows": 12, "spellcheck": "false", "class": "mono", "autocomplete": "off"}
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.problems: list[Problem] = []

    def clean(self) -> dict[str, Any]:
        """Put the text of a file in place of what was pasted, so that it can be corrected."""
        data = super().clean() or self.cleaned_data
        upload = data.get("file")
        if isinstance(upload, UploadedFile):
            try:
                self._show(upload.read().decode())
            except UnicodeDecodeError:
                self.add_error("file", "This file is not text in UTF-8, so it is no workflow.")
                return data
        data["text"] = plain_lines(self["text"].value() or "").removeprefix(_BYTE_ORDER_MARK)
        if not data["text"].strip() and not self.errors:
            self.add_error("file", "Choose a file, or paste its text below.")
        return data

    def _show(self, text: str) -> None:
        posted: Any = self.data
        shown = posted.copy()
        shown["text"] = text
        self.data = shown

    def save(self, owner: User) -> Workflow | None:
        """The workflow; None when there is something to correct."""
        if not self.is_valid():
            return None
        try:
            return portable.import_workflow(owner, read_json_object(self.cleaned_data["text"]))
        except NotJson as error:
            self.add_error("text", str(error))
        except DefinitionError as error:
            self.problems = error.errors
        return None
