"""What clients send: the fields of each request body, checked like the workflow document."""

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from hummbl.api.errors import InvalidBody
from workflows.definition import Agent, DefinitionError, Name, Task, WorkflowDefinition, parse
from workflows.portable import WorkflowHead
from workflows.problems import MAX_PROBLEMS, Problem, translate

DOCUMENT_FIELDS: Final = ("agents", "tasks", "input_schema")
READ_ONLY_FIELDS: Final = frozenset({"id", "version", "owner", "created_at", "updated_at"})


class Body(BaseModel):
    """A request body: exactly these fields, of exactly these types."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    @classmethod
    def read(cls, data: object, *, also: Iterable[str] = ()) -> Self:
        """The body in parsed JSON. Raises InvalidBody with every problem.

        `also` are names beside the fields of this class that a misspelling may have meant.
        """
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            known = {"": [*cls.model_fields, *also]}
            raise InvalidBody([_plain(found) for found in translate(error, known)]) from None

    def given(self) -> dict[str, Any]:
        """Only the fields that the client sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def _plain(found: Problem) -> dict[str, str]:
    return {"path": found["path"], "code": found["code"], "message": found["message"]}


def _usd(value: object) -> object:
    """An amount as a decimal string or a JSON number; 0 to 99,999,999 with 8 decimal places."""
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise InvalidOperation
        if isinstance(value, str) and not _DECIMAL.fullmatch(value):
            raise InvalidOperation
        amount = Decimal(str(value))
        if not amount.is_finite() or amount != round(amount, 8) or not 0 <= amount < 10**8:
            raise InvalidOperation
    except InvalidOperation:
        raise PydanticCustomError(
            "invalid_amount", 'Write US dollars as a decimal string, such as "0.50".'
        ) from None
    return amount


_USD_PATTERN: Final = r"^[0-9]{1,8}(\.[0-9]{1,8})?$"
_DECIMAL: Final = re.compile(_USD_PATTERN)

Usd = Annotated[
    Decimal,
    BeforeValidator(_usd),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": _USD_PATTERN},
                {"type": "number", "minimum": 0, "maximum": 99_999_999},
            ]
        }
    ),
]
Status = Literal["draft", "active", "paused", "archived"]
KeyProvider = Literal["openai", "anthropic", "custom"]


def _without_defaults(schema: dict[str, Any]) -> None:
    """What a change leaves out stays as it is: the defaults of the class are none of the API's."""
    for field in schema["properties"].values():
        field.pop("default", None)


class WorkflowChanges(Body):
    """What describes a workflow beside its document, any of it."""

    name: Name = ""
    description: Annotated[str, Field(max_length=10_000)] = ""
    status: Status = "active"
    is_shared: Annotated[bool, Field(description="Everyone signed in may read it")] = False


class WorkflowFields(WorkflowChanges):
    """What describes a workflow beside its document, whole."""

    name: Name


class WorkflowBody(WorkflowFields, WorkflowDefinition):
    """A workflow whole, as POST and PUT take it."""


class WorkflowPatch(WorkflowChanges):
    """Any part of a workflow, as PATCH takes it. A part of the document is replaced whole."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    agents: list[Agent] = []
    tasks: list[Task] = []
    input_schema: dict[str, Any] | None = None


T = TypeVar("T", bound=WorkflowChanges)


def read_workflow(data: Any, fields: type[T]) -> tuple[T, dict[str, Any]]:
    """The fields and the parts of the document that a body holds.

    What only the server sets is ignored, so that an answer can be sent back changed. The document
    is left to the model's method to check, unless there is something to report already: then its
    problems are reported too. Raises InvalidBody.
    """
    document = {name: data[name] for name in DOCUMENT_FIELDS if name in data}
    rest = {
        name: value
        for name, value in data.items()
        if name not in document and name not in READ_ONLY_FIELDS
    }
    try:
        return fields.read(rest, also=DOCUMENT_FIELDS), document
    except InvalidBody as error:
        problems = [*error.details["errors"], *_document_problems(document)]
        raise InvalidBody(problems[:MAX_PROBLEMS]) from None


def _document_problems(document: dict[str, Any]) -> list[Problem]:
    try:
        parse(document)
    except DefinitionError as error:
        return error.errors
    return []


def workflow_problems(data: Any) -> list[Problem]:
    """All that POST /api/workflows would refuse in a body, at most 100 entries."""
    try:
        _, document = read_workflow(data, WorkflowFields)
    except InvalidBody as error:
        found: list[Problem] = error.details["errors"]
        return found
    return _document_problems(document)


class CopyBody(Body):
    """What a copy is called."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    name: Annotated[Name, Field(description="Without it: Copy of …")] = ""


class FileBody(Body, WorkflowDefinition, WorkflowHead):
    """A workflow file, as exporting gives it and importing takes it."""


class ExecuteBody(Body):
    """What a run is given."""

    input: dict[str, Any] = {}
    cost_cap: Annotated[
        Usd | None, Field(description="US dollars that this execution may spend")
    ] = None


class KeyBody(Body):
    """A provider key to store. The key itself is never shown again."""

    provider: KeyProvider
    name: Annotated[Name, Field(max_length=100)]
    key: Annotated[str, Field(max_length=500, description="Write-only")]
    base_url: Annotated[str, Field(max_length=500, description="For `custom` only")] = ""


class KeyChanges(Body):
    """Changes of a key. `provider` and `base_url` change only together with a new `key`."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    name: Annotated[Name, Field(max_length=100)] = ""
    is_active: bool = True
    provider: KeyProvider = "openai"
    key: Annotated[str, Field(max_length=500, description="Write-only")] = ""
    base_url: Annotated[str, Field(max_length=500)] = ""
