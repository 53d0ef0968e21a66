"""A workflow as a file that another installation takes: no ids of rows, no owner, no keys.

The file is the workflow document with its name and description in front, and the number of the
format. `json_schema` describes it, and with it the document.
"""

import json
from collections.abc import Mapping
from functools import cache
from itertools import chain, islice
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from accounts.models import Action, User
from workflows import definition as documents
from workflows.definition import DefinitionError, Name, WorkflowDefinition
from workflows.models import Workflow
from workflows.problems import MAX_PROBLEMS, Problem, problem, scan_json, translate

FORMAT: Final = 1
UNNAMED: Final = "Imported workflow"
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


class WorkflowHead(BaseModel):
    """What stands in a file before the document."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    schema_url: Annotated[
        str, Field(alias="$schema", max_length=2_000, description="Where this schema is served")
    ] = ""
    hummbl: Annotated[Literal[1], Field(description="Number of the file format")] = FORMAT
    name: Annotated[Name, Field(description="What people see")] = UNNAMED
    description: Annotated[
        str, Field(max_length=10_000, description="What the workflow is for")
    ] = ""


_HEAD: Final = tuple(field.alias or name for name, field in WorkflowHead.model_fields.items())


def export_workflow(workflow: Workflow) -> dict[str, Any]:
    """The file's content: the current document, every default written out."""
    assert workflow.current_version is not None
    document = documents.parse(workflow.current_version.definition).to_json()
    agents = [
        {name: value for name, value in agent.items() if name != "key"}
        for agent in document.pop("agents")
    ]
    return {
        "hummbl": FORMAT,
        "name": workflow.name,
        "description": workflow.description,
        "agents": agents,
        **document,
    }


def to_bytes(workflow: Workflow, *, schema_url: str) -> bytes:
    """The file, indented for people and for version control. Equal workflows give equal bytes."""
    content = {"$schema": schema_url, **export_workflow(workflow)}
    return f"{json.dumps(content, indent=2, ensure_ascii=False)}\n".encode()


def import_workflow(owner: User, data: object) -> Workflow:
    """A new workflow of the owner from a file's content: active, not shared, without a cap.

    The number of the format may be missing, as in a file that was written by hand; so may the
    name. Names of provider keys are dropped: here they would mean other keys. Raises
    DefinitionError with every problem.
    """
    head, document = _read(data)
    return Workflow.create_with(
        owner=owner,
        name=head.name,
        definition=documents.without_keys(document),
        description=head.description,
        action=Action.WORKFLOW_IMPORTED,
    )


def _read(data: object) -> tuple[WorkflowHead, dict[str, Any]]:
    if not isinstance(data, dict):
        message = "A workflow file holds one JSON object."
        raise DefinitionError([problem((), "wrong_type", message)])
    _check_format(data.get("hummbl", FORMAT))
    document = {name: data[name] for name in WorkflowDefinition.model_fields if name in data}
    rest = {name: value for name, value in data.items() if name not in document}
    found = list(islice(chain(scan_json(rest), _document_problems(document)), MAX_PROBLEMS))
    try:
        head = WorkflowHead.model_validate(rest)
    except ValidationError as error:
        known = {"": [*_HEAD, *WorkflowDefinition.model_fields]}
        found = [*translate(error, known), *found][:MAX_PROBLEMS]
    if found:
        raise DefinitionError(found)
    return head, document


def _check_format(given: object) -> None:
    if type(given) is int and given == FORMAT:
        return
    message = f"This version reads format {FORMAT}."
    if type(given) is int and given > FORMAT:
        message += f" The file has format {given}, which a newer version of HUMMBL wrote."
    raise DefinitionError([problem(("hummbl",), "unknown_format", message)])


def _document_problems(document: Mapping[str, Any]) -> list[Problem]:
    try:
        documents.parse(document)
    except DefinitionError as error:
        return error.errors
    return []


def json_schema(url: str) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a workflow file, served at `url`."""
    return {"$schema": _DIALECT, "$id": url, **_schema()}


@cache
def _schema() -> dict[str, Any]:
    head, document = WorkflowHead.model_json_schema(), documents.json_schema()
    return {
        **document,
        "title": "HUMMBL workflow",
        "description": "Agents, the tasks they do, and what a run is given.",
        "properties": {**head["properties"], **document["properties"]},
    }
