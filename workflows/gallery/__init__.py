"""Templates: workflows to begin from, one JSON file each under `documents/`.

A file is a workflow document with a name, a summary and a category, whose agents name no provider
and no model: both are chosen when a template is used. Each agent has two bounds on its answers:
`max_tokens` for a model that does the work for real, and `try_max_tokens` for the embedded one,
whose small context has to hold what the earlier tasks hand over.
"""

import json
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

from accounts.models import User
from workflows import definition as documents
from workflows.access import require_writer
from workflows.definition import WorkflowDefinition
from workflows.gallery.choice import EMBEDDED, default_model, split_model
from workflows.gallery.sketch import Sketch, draw
from workflows.input_schema import examples
from workflows.models import Workflow

CATEGORIES: Final = ("Research", "Writing", "Teamwork", "Customers", "Engineering")
_FILES: Final = Path(__file__).with_name("documents")


@dataclass(frozen=True, eq=False)
class Template:
    """A workflow to begin from. `on_embedded_model` says what to expect of a try for free."""

    slug: str
    name: str
    summary: str
    category: str
    on_embedded_model: str
    content: dict[str, Any]

    @property
    def document(self) -> dict[str, Any]:
        """The document on the embedded model, complete and valid; the caller's to change."""
        return self.definition.to_json()

    @cached_property
    def definition(self) -> WorkflowDefinition:
        """The same document, parsed."""
        return self.definition_for(EMBEDDED)

    @cached_property
    def sketch(self) -> Sketch:
        """Its graph in miniature."""
        return draw(self.definition.graph)

    @cached_property
    def example(self) -> dict[str, Any]:
        """An input to run it with, which every model can take."""
        return examples(self.content["input_schema"])

    def definition_for(self, model: str) -> WorkflowDefinition:
        """The document with every agent on `model`, written as provider:model.

        Raises UnknownModel.
        """
        provider, name = split_model(model)
        bound = "try_max_tokens" if model == EMBEDDED else "max_tokens"
        agents = [
            {
                **{key: value for key, value in agent.items() if key != "try_max_tokens"},
                "provider": provider,
                "model": name,
                "max_tokens": agent[bound],
            }
            for agent in self.content["agents"]
        ]
        return documents.parse({**self.content, "agents": agents})

    def use(self, *, by: User, model: str = "", name: str = "") -> Workflow:
        """A workflow of `by` from this template: active, not shared, without a cap.

        Without a model it is the best that `by` has a key for, else the embedded one. Raises
        ReadOnlyRole for a viewer, and UnknownModel.
        """
        require_writer(by)
        return Workflow.create_with(
            owner=by,
            name=name or self.name,
            definition=self.definition_for(model or default_model(by)).to_json(),
            description=self.summary,
            origin={"template": self.slug},
        )


@cache
def templates() -> tuple[Template, ...]:
    """All templates by category, then by name. The files are read once."""
    found = [_read(file) for file in _FILES.glob("*.json")]
    return tuple(sorted(found, key=lambda one: (CATEGORIES.index(one.category), one.name)))


def get(slug: str) -> Template | None:
    """The template of that slug, if there is one."""
    return next((template for template in templates() if template.slug == slug), None)


def search(text: str = "", category: str = "") -> list[Template]:
    """The templates of a category that mention every word of the text."""
    words = text.casefold().split()
    return [
        template
        for template in templates()
        if category in ("", template.category)
        and all(word in f"{template.name} {template.summary}".casefold() for word in words)
    ]


def _read(file: Path) -> Template:
    content = json.loads(file.read_text(encoding="utf-8"))
    about = {
        field: content.pop(field) for field in ("name", "summary", "category", "on_embedded_model")
    }
    return Template(slug=file.stem, content=content, **about)
