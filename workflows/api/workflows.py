"""`/api/workflows`: create, read, change, delete, run."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.api.authentication import user_of
from accounts.api.scopes import needs_scope
from accounts.models import Scope
from hummbl.api.errors import InvalidBody
from hummbl.api.filters import one_of, read_filters, search_text
from workflows.access import require_writer
from workflows.api.access import editable_workflow, visible_workflow
from workflows.api.answers import (
    ExecutionAnswer,
    WorkflowAnswer,
    WorkflowRow,
    created_workflow,
    execution_answer,
    workflow_answer,
    workflow_row,
    workflow_rows,
)
from workflows.api.bodies import (
    ExecuteBody,
    WorkflowBody,
    WorkflowChanges,
    WorkflowFields,
    WorkflowPatch,
    read_workflow,
)
from workflows.api.filters import status_parameter
from workflows.models import Workflow, WorkflowStatus

MAX_IDEMPOTENCY_KEY = 255
_SHARED = {"true": True, "false": False}
_IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description=(
        "At most 255 printable ASCII characters. The same key with the same body answers with the "
        "execution that it started the first time; with another body it is a 409."
    ),
)


@extend_schema(tags=["workflows"])
class WorkflowViewSet(GenericViewSet[Workflow]):
    """Workflows that the user owns or that are shared with everyone."""

    queryset = Workflow.objects.none()

    @extend_schema(
        summary="List workflows",
        responses=WorkflowRow,
        parameters=[
            status_parameter(WorkflowStatus.values),
            OpenApiParameter("q", str, description="Part of the name or description."),
            OpenApiParameter("owner", str, enum=["me"], description="Only the user's own."),
            OpenApiParameter(
                "shared", str, enum=list(_SHARED), description="Only those shared or not shared."
            ),
        ],
    )
    def list(self, request: Request) -> Response:
        """Light rows, newest first, without the document."""
        chosen = read_filters(request, "status", "q", "owner", "shared")
        rows = Workflow.objects.visible_to(user_of(request))
        if "status" in chosen:
            rows = rows.filter(status=one_of("status", chosen["status"], WorkflowStatus.values))
        if "q" in chosen:
            rows = rows.matching(search_text("q", chosen["q"]))
        if "owner" in chosen and one_of("owner", chosen["owner"], ["me"]):
            rows = rows.filter(owner=user_of(request))
        if "shared" in chosen:
            rows = rows.filter(is_shared=_SHARED[one_of("shared", chosen["shared"], _SHARED)])
        page = self.paginate_queryset(workflow_rows(rows))
        return self.get_paginated_response([workflow_row(row) for row in page or ()])

    @extend_schema(
        summary="Create a workflow", request=WorkflowBody, responses={201: WorkflowAnswer}
    )
    def create(self, request: Request) -> Response:
        """Version 1 of the document, owned by the user."""
        user = user_of(request)
        require_writer(user)
        fields, document = read_workflow(request.data, WorkflowFields)
        workflow = Workflow.create_with(owner=user, definition=document, **fields.model_dump())
        return created_workflow(workflow)

    @extend_schema(summary="Read a workflow", responses=WorkflowAnswer)
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """The workflow with the document of its current version."""
        return Response(workflow_answer(visible_workflow(request, pk)))

    @extend_schema(summary="Replace a workflow", request=WorkflowBody, responses=WorkflowAnswer)
    def update(self, request: Request, pk: UUID) -> Response:
        """Everything that the body leaves out takes its default. Owner or admin."""
        workflow = editable_workflow(request, pk)
        fields, document = read_workflow(request.data, WorkflowFields)
        workflow.change(fields.model_dump(), document, by=user_of(request))
        return Response(workflow_answer(workflow))

    @extend_schema(summary="Change a workflow", request=WorkflowPatch, responses=WorkflowAnswer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """What the body leaves out stays as it is. Owner or admin."""
        workflow = editable_workflow(request, pk)
        changes, document = read_workflow(request.data, WorkflowChanges)
        workflow.change(changes.given(), document or None, by=user_of(request), merge=True)
        return Response(workflow_answer(workflow))

    @extend_schema(
        summary="Delete a workflow",
        responses={204: None, 409: OpenApiResponse(description="An execution is under way.")},
    )
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Delete it with its versions and executions. Owner or admin."""
        editable_workflow(request, pk).delete(by=user_of(request))
        return Response(status=204)

    @needs_scope(Scope.RUN)
    @extend_schema(
        operation_id="workflows_execute",
        summary="Run a workflow",
        request=ExecuteBody,
        parameters=[_IDEMPOTENCY_KEY],
        responses={
            202: ExecutionAnswer,
            409: OpenApiResponse(description="Not active, or the key was used for another body."),
        },
    )
    def execute(self, request: Request, pk: UUID) -> Response:
        """Start an execution of the current version. Owner or admin."""
        workflow = visible_workflow(request, pk)
        require_writer(user_of(request))
        body = ExecuteBody.read(request.data)
        execution = workflow.execute(
            user=user_of(request),
            input=body.input,
            trigger="api",
            cost_cap=body.cost_cap,
            idempotency_key=_idempotency_key(request),
        )
        location = {"Location": f"/api/executions/{execution.pk}"}
        return Response(execution_answer(execution), 202, headers=location)


def _idempotency_key(request: Request) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > MAX_IDEMPOTENCY_KEY or not (key.isascii() and (key.isprintable())):
        message = f"Use at most {MAX_IDEMPOTENCY_KEY} printable ASCII characters."
        raise InvalidBody([{"path": "Idempotency-Key", "code": "invalid", "message": message}])
    return key
