"""What the API answers: each answer's fields, and the function that fills them.

The classes describe the answers in the OpenAPI schema; a test holds the functions to them. The
functions build plain dictionaries, for a list row passes through nothing else. The workflows of a
list come from the database as dictionaries too: model instances would take most of its time.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, cast
from uuid import UUID

from django.db.models import F, QuerySet
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from rest_framework.response import Response

from accounts.models import User, name_to_show
from workflows.api.bodies import KeyProvider, Status
from workflows.definition import Agent, Provider, Task
from workflows.models import ApiKey, Execution, TaskResult, Workflow, WorkflowVersion
from workflows.providers.catalogue import CatalogueModel
from workflows.queries import TaskCount

_PLACES: Final = Decimal("1.00000000")

Money = Annotated[str, WithJsonSchema({"type": "string", "format": "decimal"})]
Seconds = Annotated[float | None, Field(description="Seconds")]


class Answer(BaseModel):
    """A part of the API's answers."""

    model_config = ConfigDict(extra="forbid")


def money(value: Decimal | int) -> str:
    """US dollars as a decimal string with 8 places."""
    return f"{Decimal(value).quantize(_PLACES):f}"


class Person(Answer):
    """A user, as others see them."""

    id: UUID
    name: str


def person(user: User) -> dict[str, Any]:
    """A user, as others see them."""
    return _person(user.pk, user.name, user.email)


def _person(pk: UUID, name: str, email: str) -> dict[str, Any]:
    return {"id": pk, "name": name_to_show(name, email)}


class WorkflowRow(Answer):
    """A workflow in a list."""

    id: UUID
    name: str
    description: str
    status: Status
    is_shared: bool
    version: Annotated[int, Field(description="Number of the current version")]
    owner: Person
    task_count: int
    created_at: datetime
    updated_at: datetime


class WorkflowAnswer(Answer):
    """A workflow with the document of its current version."""

    id: UUID
    name: str
    description: str
    status: Status
    is_shared: bool
    version: Annotated[int, Field(description="Number of the current version")]
    owner: Person
    agents: list[Agent]
    tasks: list[Task]
    input_schema: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime


class ProblemAnswer(Answer):
    """One thing to correct."""

    path: Annotated[str, Field(description="Such as `tasks[3].dependencies[0]`")]
    code: str
    message: str


class CheckAnswer(Answer):
    """Whether a workflow could be stored, and what to correct."""

    valid: bool
    errors: list[ProblemAnswer]


_WORKFLOW_COLUMNS: Final = (
    "id",
    "name",
    "description",
    "status",
    "is_shared",
    "created_at",
    "updated_at",
)


def workflow_rows(workflows: QuerySet[Workflow]) -> QuerySet[Workflow, dict[str, Any]]:
    """What `workflow_row` takes of each workflow, without the document."""
    rows: QuerySet[Workflow, dict[str, Any]] = workflows.values(
        *_WORKFLOW_COLUMNS,
        "owner_id",
        "owner__name",
        "owner__email",
        version=F("current_version__number"),
        task_count=TaskCount(),
    )
    return rows


def workflow_row(row: dict[str, Any]) -> dict[str, Any]:
    """A list row from one of `workflow_rows`."""
    row["owner"] = _person(row.pop("owner_id"), row.pop("owner__name"), row.pop("owner__email"))
    return row


def workflow_answer(workflow: Workflow) -> dict[str, Any]:
    """A workflow with its current document."""
    return {**_workflow_fields(workflow), **_current(workflow).definition}


def created_workflow(workflow: Workflow) -> Response:
    """201 with a workflow that was made, and where it is."""
    location = {"Location": f"/api/workflows/{workflow.pk}"}
    return Response(workflow_answer(workflow), 201, headers=location)


def _current(workflow: Workflow) -> WorkflowVersion:
    # There is none only inside the transaction that makes a workflow.
    return cast(WorkflowVersion, workflow.current_version)


def _workflow_fields(workflow: Workflow) -> dict[str, Any]:
    return {
        **{column: getattr(workflow, column) for column in _WORKFLOW_COLUMNS},
        "version": _current(workflow).number,
        "owner": person(workflow.owner),
    }


class TaskResultAnswer(Answer):
    """What became of one task."""

    task_id: str
    item_index: int
    task_name: str
    agent_id: str
    status: str
    output: str
    error: str
    error_code: str
    finish_reason: str
    attempts: Annotated[int, Field(description="Calls made, the first included")]
    model: str
    input_tokens: int
    cached_tokens: Annotated[int, Field(description="Of the input tokens, those from a cache")]
    output_tokens: int
    cost: Money
    duration: Seconds
    started_at: datetime | None
    completed_at: datetime | None


class ExecutionRow(Answer):
    """An execution in a list."""

    id: UUID
    workflow_id: UUID
    version: int
    status: str
    progress: Annotated[float, Field(ge=0, le=1)]
    cost: Money
    tokens: int
    started_at: datetime | None
    completed_at: datetime | None
    error: str


class ExecutionAnswer(ExecutionRow):
    """An execution with the result of every task."""

    task_results: list[TaskResultAnswer]


def execution_rows(executions: QuerySet[Execution], *more: str) -> QuerySet[Execution]:
    """With what `execution_row` takes of each execution, and `more`, in the same query."""
    return executions.select_related("version").only(
        "workflow",
        "version__number",
        "status",
        "task_count",
        "ended_count",
        "cost",
        "input_tokens",
        "output_tokens",
        "created_at",
        "started_at",
        "completed_at",
        "error",
        *more,
    )


def execution_row(execution: Execution) -> dict[str, Any]:
    """A list row of an execution that comes with its version."""
    return {
        "id": execution.pk,
        "workflow_id": execution.workflow_id,
        "version": execution.version.number,
        "status": execution.status,
        "progress": execution.progress,
        "cost": money(execution.cost),
        "tokens": execution.tokens,
        "started_at": execution.started_at,
        "completed_at": execution.completed_at,
        "error": execution.error,
    }


def execution_answer(execution: Execution) -> dict[str, Any]:
    """An execution with its tasks; one query, unless they are there already."""
    results = execution.tasks.defer("input")
    return {**execution_row(execution), "task_results": [task_answer(task) for task in results]}


def task_answer(task: TaskResult) -> dict[str, Any]:
    """What became of one task."""
    return {
        "task_id": task.task_id,
        "item_index": task.item_index,
        "task_name": task.task_name,
        "agent_id": task.agent_id,
        "status": task.status,
        "output": task.output,
        "error": task.error,
        "error_code": task.error_code,
        "finish_reason": task.finish_reason,
        "attempts": task.attempts,
        "model": task.model,
        "input_tokens": task.input_tokens,
        "cached_tokens": task.cached_tokens,
        "output_tokens": task.output_tokens,
        "cost": money(task.cost),
        "duration": task.duration,
        "started_at": task.started_at,
        "completed_at": task.completed_at,
    }


class KeyAnswer(Answer):
    """A provider key, without the key itself."""

    id: UUID
    provider: KeyProvider
    name: str
    last_four: str
    base_url: str
    is_active: bool
    is_readable: Annotated[
        bool, Field(description="False: its encryption key is lost; send the key again")
    ]
    owner: Person
    last_used_at: datetime | None
    created_at: datetime
    updated_at: datetime


def key_answer(key: ApiKey) -> dict[str, Any]:
    """A provider key that comes with its user."""
    return {
        "id": key.pk,
        "provider": key.provider,
        "name": key.name,
        "last_four": key.last_four,
        "base_url": key.base_url,
        "is_active": key.is_active,
        "is_readable": key.is_readable,
        "owner": person(key.user),
        "last_used_at": key.last_used_at,
        "created_at": key.created_at,
        "updated_at": key.updated_at,
    }


class KeyCheckAnswer(Answer):
    """What came of testing a key. `ok` is false when something is known to be wrong."""

    ok: bool
    code: Annotated[
        str,
        Field(
            description="ok, unverified, authentication, permission, quota, rate_limited, "
            "unavailable, not_found, bad_request, redirect, not_protocol, timeout, unreachable, "
            "tls, outbound_refused or decryption_failed"
        ),
    ]
    message: Annotated[str, Field(description="One sentence for a person")]


class ModelAnswer(Answer):
    """A model to choose from. Prices are US dollars per million tokens; null when unknown."""

    provider: Provider
    model: Annotated[str, Field(description="Empty: any name")]
    context: Annotated[int | None, Field(description="Tokens")]
    input_price: Money | None
    output_price: Money | None
    note: str


class ModelList(Answer):
    """The models, all on one page."""

    results: list[ModelAnswer]
    next: None
    previous: None


def model_answer(model: CatalogueModel) -> dict[str, Any]:
    """A model of the catalogue."""
    return {
        "provider": model.provider,
        "model": model.model,
        "context": model.context,
        "input_price": model.input_price,
        "output_price": model.output_price,
        "note": model.note,
    }
