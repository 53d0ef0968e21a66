"""What the API answers about the versions of a workflow."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from workflows.api.answers import Answer, Person, WorkflowAnswer, person
from workflows.changes import Change, Kind, counts
from workflows.changes.text import Kind as PieceKind
from workflows.definition import Agent, Task
from workflows.models import Workflow, WorkflowVersion


class VersionRow(Answer):
    """A version in a list."""

    number: int
    is_current: bool
    task_count: int
    created_by: Annotated[Person | None, Field(description="null: the account was deleted")]
    created_at: datetime


class VersionAnswer(VersionRow):
    """A version with its document."""

    agents: list[Agent]
    tasks: list[Task]
    input_schema: dict[str, Any] | None


def version_row(version: WorkflowVersion, workflow: Workflow) -> dict[str, Any]:
    """A row of `WorkflowVersion.objects.listed()`."""
    return {
        **_version_fields(version, workflow),
        "task_count": version.task_count,  # type: ignore[attr-defined]
    }


def version_answer(version: WorkflowVersion, workflow: Workflow) -> dict[str, Any]:
    """A version that comes with its document and who made it."""
    count = len(version.definition["tasks"])
    return {**_version_fields(version, workflow), "task_count": count, **version.definition}


def _version_fields(version: WorkflowVersion, workflow: Workflow) -> dict[str, Any]:
    return {
        "number": version.number,
        "is_current": version.pk == workflow.current_version_id,
        "created_by": person(version.created_by) if version.created_by else None,
        "created_at": version.created_at,
    }


class PieceAnswer(Answer):
    """A stretch of text. Same and removed ones make the old text, same and added ones the new."""

    kind: PieceKind
    text: str


class ChangeAnswer(Answer):
    """One thing that differs."""

    kind: Kind
    path: Annotated[
        str, Field(description="In the newer document; of what was removed, in the older one")
    ]
    subject: Annotated[str, Field(description="For people: Task “Gather facts”")]
    field: Annotated[
        str,
        Field(
            description="Empty when all of the subject was added or removed; `position`, counted "
            "from 1, when it moved in its list"
        ),
    ]
    before: Any
    after: Any
    text: Annotated[
        list[PieceAnswer], Field(description="The words of a long text that changed, else empty")
    ]


class ChangeCounts(Answer):
    """How many changes there are of each kind."""

    added: int
    removed: int
    changed: int
    moved: int


class DiffAnswer(Answer):
    """What it takes to get from one version to another."""

    before: Annotated[int, Field(description="Number of the version to start from")]
    after: Annotated[int, Field(description="Number of the version to arrive at")]
    counts: ChangeCounts
    changes: list[ChangeAnswer]


def diff_answer(before: int, after: int, changes: list[Change]) -> dict[str, Any]:
    """The changes between two versions, by their numbers."""
    return {
        "before": before,
        "after": after,
        "counts": counts(changes),
        "changes": [_change_answer(change) for change in changes],
    }


def _change_answer(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "path": change.path,
        "subject": change.subject,
        "field": change.field,
        "before": change.before,
        "after": change.after,
        "text": [{"kind": piece.kind, "text": piece.text} for piece in change.text],
    }


class RestoreAnswer(WorkflowAnswer):
    """The workflow as it is now."""

    restored: Annotated[
        bool, Field(description="false: that document was current already, nothing was stored")
    ]
