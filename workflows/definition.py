"""The workflow document: what an agent and a task are, and what makes a document valid.

One model validates it everywhere: page, API, import and admin. Nothing here touches the database.
"""

import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import chain, islice
from typing import Annotated, Any, ClassVar, Final, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from hummbl.errors import AppError
from workflows.graph import Graph
from workflows.input_schema import check_schema, check_value
from workflows.placeholders import MAX_RENDERED, PlaceholderError, Token, render, tokenize, too_long
from workflows.problems import MAX_PROBLEMS, Problem, problem, scan_json, translate
from workflows.references import MAX_AGENTS, MAX_EDGES, MAX_TASKS, check_references

__all__ = [
    "MAX_AGENTS",
    "MAX_EDGES",
    "MAX_TASKS",
    "Agent",
    "DefinitionError",
    "Graph",
    "InputError",
    "PlaceholderError",
    "Task",
    "WorkflowDefinition",
    "check_input",
    "json_schema",
    "parse",
    "render_prompt",
    "without_keys",
]

MAX_TEXT_BYTES: Final = 65_536
MAX_INPUT_BYTES: Final = 65_536

Provider = Literal["local", "anthropic", "openai", "custom"]
PROVIDERS: Final[tuple[str, ...]] = get_args(Provider)


class DefinitionError(AppError):
    """The document is not a workflow. `errors` lists what to correct, at most 100 entries."""

    code = "invalid_definition"

    def __init__(self, errors: list[Problem]) -> None:
        self.errors = errors
        super().__init__(_summary("workflow", errors), details={"errors": errors})


class InputError(AppError):
    """The input does not fit the workflow. `errors` lists what to correct."""

    code = "invalid_input"

    def __init__(self, errors: list[Problem]) -> None:
        self.errors = errors
        super().__init__(_summary("input", errors), details={"errors": errors})


def _summary(what: str, errors: list[Problem]) -> str:
    first = errors[0]
    place = f"{first['path']}: " if first["path"] else ""
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"The {what} is not valid. {place}{first['message']}{more}"


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "This must not be blank.")
    return text


def _bounded_text(text: str) -> str:
    if len(text.encode(errors="replace")) > MAX_TEXT_BYTES:
        raise PydanticCustomError("too_large", "Use at most 64 KB of text (65,536 bytes in UTF-8).")
    return text


def _bounded_json(value: dict[str, Any]) -> dict[str, Any]:
    if _json_bytes(value) > MAX_INPUT_BYTES:
        raise PydanticCustomError("too_large", "Use at most 64 KB of JSON (65,536 bytes).")
    return value


def _json_bytes(value: object) -> int:
    try:
        return len(
            json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
        )
    except (ValueError, RecursionError):  # odd values and bottomless nesting are reported by path
        return 0


def _provider_and_model(text: str) -> str:
    provider, colon, model = text.partition(":")
    if not colon or provider not in PROVIDERS or not model.strip() or len(model) > 200:
        raise PydanticCustomError(
            "invalid_fallback",
            'Write a fallback as "provider:model", such as "openai:gpt-5-mini"; providers: '
            "{providers}.",
            {"providers": ", ".join(PROVIDERS)},
        )
    return text


def _plain_number(value: float) -> int | float:
    return int(value) if value == int(value) else value


Id = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$",
        description="Unique in its list; others refer to it. snake_case reads best",
    ),
]
Name = Annotated[
    str, Field(max_length=200, json_schema_extra={"minLength": 1}), AfterValidator(_not_blank)
]
Label = Annotated[str, Field(min_length=1, max_length=100)]
LongText = Annotated[str, AfterValidator(_bounded_text)]
Prompt = Annotated[LongText, AfterValidator(_not_blank), Field(json_schema_extra={"minLength": 1})]
JsonObject = Annotated[dict[str, Any], AfterValidator(_bounded_json)]
Number = Annotated[float, PlainSerializer(_plain_number)]
Fallback = Annotated[
    str,
    Field(max_length=220, json_schema_extra={"pattern": f"^({'|'.join(PROVIDERS)}):.*\\S"}),
    AfterValidator(_provider_and_model),
]


class _Part(BaseModel):
    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=()
    )


class Agent(_Part):
    """Who answers: a model of a provider, with its manner."""

    id: Id
    name: Annotated[Name, Field(description="What people see")]
    role: Annotated[str, Field(max_length=200, description="Such as researcher or editor")] = ""
    description: Annotated[LongText, Field(description="What it is for; no model reads it")] = ""
    capabilities: Annotated[
        list[Label], Field(max_length=50, description="What it is good at; no model reads it")
    ] = []
    provider: Annotated[
        Provider, Field(description="local needs no key; custom is any OpenAI-compatible service")
    ]
    model: Annotated[Name, Field(description="As the provider names it: claude-haiku-4-5")]
    temperature: Annotated[Number, Field(ge=0, le=2, description="0 is the most predictable")] = 0.7
    max_tokens: Annotated[
        int, Field(ge=1, le=200_000, description="The longest answer, in tokens")
    ] = 1024
    instructions: Annotated[LongText, Field(description="Told to the model before each task")] = ""
    key: Annotated[
        Label | None,
        Field(description="Name of one of your keys; null for the oldest active one"),
    ] = None
    fallbacks: Annotated[
        list[Fallback],
        Field(max_length=10, description="Tried in turn when the model fails: provider:model"),
    ] = []


class Task(_Part):
    """What is asked, of which agent, after which other tasks. `description` is the prompt."""

    id: Id
    name: Annotated[Name, Field(description="What people see")]
    description: Annotated[
        Prompt,
        Field(
            description="The prompt. {{ input.topic }} and {{ tasks.gather.output }} are replaced; "
            "without any of these, the outputs of the dependencies are appended"
        ),
    ]
    agent_id: Annotated[str, Field(description="Id of the agent that does it")]
    dependencies: Annotated[
        list[str],
        Field(max_length=MAX_TASKS, description="Ids of the tasks that complete before it starts"),
    ] = []
    input: Annotated[
        JsonObject, Field(description="Values for {{ input.x }} where the run gives none")
    ] = {}
    max_retries: Annotated[
        int, Field(ge=0, le=10, description="More attempts after a failure that may pass")
    ] = 2
    timeout_seconds: Annotated[
        Number, Field(ge=1, le=3600, description="For each attempt, in seconds")
    ] = 120.0

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """The prompt split into text and placeholders."""
        return tokenize(self.description)


class WorkflowDefinition(_Part):
    """A whole document. Build it with `parse`, which also checks what refers to what."""

    agents: Annotated[list[Agent], Field(max_length=MAX_AGENTS, description="Who answers")]
    tasks: Annotated[
        list[Task], Field(min_length=1, max_length=MAX_TASKS, description="What is asked")
    ]
    input_schema: Annotated[
        JsonObject | None,
        Field(
            description="JSON Schema of a run's input; null takes any. Without regular "
            "expressions and references."
        ),
    ] = None

    fields: ClassVar[Mapping[str, list[str]]]

    @cached_property
    def graph(self) -> Graph:
        return Graph(self)

    @cached_property
    def agents_by_id(self) -> dict[str, Agent]:
        return {agent.id: agent for agent in self.agents}

    @cached_property
    def tasks_by_id(self) -> dict[str, Task]:
        return {task.id: task for task in self.tasks}

    @cached_property
    def names(self) -> dict[str, str]:
        """Task names by task id, as `render_prompt` wants them."""
        return {task.id: task.name for task in self.tasks}

    def to_json(self) -> dict[str, Any]:
        """The canonical document, defaults filled in: equal documents compare equal."""
        return self.model_dump(mode="json")


WorkflowDefinition.fields = {
    "": list(WorkflowDefinition.model_fields),
    "agents": list(Agent.model_fields),
    "tasks": list(Task.model_fields),
}


def parse(data: object) -> WorkflowDefinition:
    """The definition in `data`, which is JSON as `json.loads` gives it.

    Raises DefinitionError with every problem found, at most 100.
    """
    unfit = list(islice(scan_json(data), MAX_PROBLEMS))
    if any(found["code"] == "too_deep" for found in unfit):
        raise DefinitionError(unfit)
    problems = {found["path"]: [found] for found in unfit}
    definition = None
    try:
        definition = WorkflowDefinition.model_validate(data)
    except ValidationError as error:
        for found in map(_specific, translate(error, WorkflowDefinition.fields)):
            problems.setdefault(found["path"], [found])
    if isinstance(data, dict):
        for found in islice(chain(check_references(data), _schema_problems(data)), MAX_PROBLEMS):
            problems.setdefault(found["path"], []).append(found)
    errors = [found for group in problems.values() for found in group][:MAX_PROBLEMS]
    if errors or definition is None:
        raise DefinitionError(errors)
    return definition


def _schema_problems(data: Mapping[str, Any]) -> Iterable[Problem]:
    schema = data.get("input_schema")
    return check_schema(schema) if isinstance(schema, dict) else ()


def _specific(found: Problem) -> Problem:
    """Names the limits of the whole document by codes of their own."""
    if found["code"] == "too_long" and found["path"] in ("tasks", "agents"):
        return {**found, "code": f"too_many_{found['path']}"}
    if found["code"] == "too_short" and found["path"] == "tasks":
        return {**found, "code": "no_tasks", "message": "Add at least one task."}
    return found


def check_input(definition: WorkflowDefinition, input: object) -> None:
    """Checks a run's input against the workflow's `input_schema`.

    Raises InputError; paths begin with `input`.
    """
    if not isinstance(input, dict):
        message = 'The input is a JSON object, such as {"topic": "bees"}.'
        raise InputError([problem(("input",), "wrong_type", message)])
    errors = list(islice(scan_json(input, ("input",)), MAX_PROBLEMS))
    if not errors and _json_bytes(input) > MAX_INPUT_BYTES:
        message = "Use at most 64 KB of input (65,536 bytes of JSON)."
        errors = [problem(("input",), "too_large", message)]
    if not errors and definition.input_schema is not None:
        found = check_value(definition.input_schema, input, ("input",))
        errors = list(islice(found, MAX_PROBLEMS))
    if errors:
        raise InputError(errors)


def render_prompt(
    task: Task, *, input: Mapping[str, Any], outputs: Mapping[str, str], names: Mapping[str, str]
) -> str:
    """The prompt that goes to the model.

    `input` is the run's input, laid over the task's own; `outputs` and `names` are by task id.
    A prompt without any placeholder gets the outputs of its direct dependencies appended.
    Raises PlaceholderError.
    """
    tokens = task.tokens
    if any(not isinstance(token, str) for token in tokens):
        return render(tokens, input={**task.input, **input}, outputs=outputs)
    sections = [
        f"\n\n## {names.get(other, other)}\n{outputs[other]}"
        for other in task.dependencies
        if other in outputs
    ]
    prompt = task.description + "".join(sections)
    if len(prompt) > MAX_RENDERED:
        raise too_long()
    return prompt


def without_keys(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document without the names of the provider keys that its agents use."""
    agents = [{**agent, "key": None} for agent in document["agents"]]
    return {**document, "agents": agents}


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the document, for editors that complete and check it."""
    return WorkflowDefinition.model_json_schema()
