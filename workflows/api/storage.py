"""`GET /api/admin/storage`: what fills the database, and what is deleted when."""

import uuid
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hummbl import retention
from hummbl.api.filters import read_filters
from hummbl.api.permissions import ADMIN_ONLY
from hummbl.models import CleanUp
from workflows.api.answers import Answer
from workflows.figures import storage
from workflows.figures.storage import Share, Storage


class DatabaseBytes(Answer):
    """The database on disk."""

    engine: Annotated[str, Field(description="sqlite or postgresql")]
    bytes: Annotated[int, Field(description="All of it, the write-ahead log of SQLite included")]
    log_bytes: int
    free_bytes: Annotated[int, Field(description="Free pages in a SQLite file")]


class TableBytes(Answer):
    """A table, with its indexes."""

    table: str
    rows: int
    bytes: int
    row_bytes: int
    index_bytes: int
    toast_bytes: Annotated[int, Field(description="Long values that PostgreSQL keeps apart")]


class RunBytes(Answer):
    """About what runs take, with their part of the indexes."""

    executions: int
    bytes: int
    execution_bytes: int
    task_bytes: int
    event_bytes: int


class WorkflowBytes(RunBytes):
    """About what a workflow's runs take."""

    workflow_id: uuid.UUID
    workflow_name: str
    owner_email: str


class OtherBytes(RunBytes):
    """About what the runs of all other workflows take."""

    workflows: int


class KeptRuns(Answer):
    """The runs that are kept. What a day adds is estimated from the last 7."""

    executions: int
    oldest_at: datetime | None
    executions_a_day: float
    bytes_a_day: int


class RetentionRule(Answer):
    """What is kept for a time only."""

    name: str
    description: str


class LastCleanUp(Answer):
    """When expired rows were last deleted, and how many by rule."""

    at: datetime
    seconds: float
    deleted: dict[str, int]


class StorageFigures(Answer):
    """What fills the database. Measured at most ten minutes ago, in so many seconds."""

    at: datetime
    seconds: float
    database: DatabaseBytes
    tables: list[TableBytes]
    table_sizes_exact: bool
    table_rows_exact: bool
    workflows: Annotated[list[WorkflowBytes], Field(description="The 20 biggest, biggest first")]
    other_workflows: OtherBytes | None
    workflows_sampled: Annotated[bool, Field(description="Whether a sample of rows was looked at")]
    runs: KeptRuns
    rules: list[RetentionRule]
    last_cleanup: LastCleanUp | None


class StorageView(APIView):
    """What fills the database."""

    permission_classes = ADMIN_ONLY

    @extend_schema(
        operation_id="admin_storage",
        tags=["admin"],
        summary="Read what fills the database",
        responses=StorageFigures,
    )
    def get(self, request: Request) -> Response:
        """Bytes by table and by workflow, and what is deleted when."""
        read_filters(request)
        return Response(_figures(storage.storage(), CleanUp.objects.first()))


def _figures(found: Storage, last: CleanUp | None) -> dict[str, Any]:
    growth = asdict(found.growth)
    return {
        "at": found.at,
        "seconds": found.seconds,
        "database": {
            "engine": found.engine,
            "bytes": found.space.total,
            "log_bytes": found.space.log,
            "free_bytes": found.space.free,
        },
        "tables": [{**asdict(table), "bytes": table.bytes} for table in found.sizes.tables],
        "table_sizes_exact": found.sizes.sizes_exact,
        "table_rows_exact": found.sizes.rows_exact,
        "workflows": [_workflow(share) for share in found.shares],
        "other_workflows": (
            {**_runs(found.others), "workflows": found.others.workflows} if found.others else None
        ),
        "workflows_sampled": found.sampled,
        "runs": {"oldest_at": growth.pop("oldest"), **growth},
        "rules": [
            {"name": rule.name, "description": rule.describe()} for rule in retention.rules()
        ],
        "last_cleanup": (
            {"at": last.at, "seconds": last.seconds, "deleted": last.deleted} if last else None
        ),
    }


def _workflow(share: Share) -> dict[str, Any]:
    assert share.workflow
    return {
        "workflow_id": share.workflow.pk,
        "workflow_name": share.workflow.name,
        "owner_email": share.workflow.owner.email,
        **_runs(share),
    }


def _runs(share: Share) -> dict[str, Any]:
    return {
        "executions": share.executions,
        "bytes": share.bytes,
        "execution_bytes": share.execution_bytes,
        "task_bytes": share.task_bytes,
        "event_bytes": share.event_bytes,
    }
