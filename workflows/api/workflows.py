"""`/api/workflows`: create, read, change, delete, run."""

from typing import cast
from uuid import UUID

from django.db.models import Q
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.models import User
from hummbl.api.errors import InvalidBody
from workflows.access import require_editor, require_writer
from workflows.api.answers import (
    ExecutionAnswer,
    WorkflowAnswer,
    WorkflowRow,
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
from workflows.api.filters import one_of, read_filters, search_text, status_parameter
from workflows.models import Workflow, WorkflowStatus

MAX_IDEMPOTENCY_KEY = 255
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
        ],
    )
    def list(self, request: Request) -> Response:
        """Light rows, newest first, without the document."""
        chosen = read_filters(request, "status", "q")
        rows = Workflow.objects.visible_to(_user(request))
        if "status" in chosen:
            rows = rows.filter(status=one_of("status", chosen["status"], WorkflowStatus.values))
        if "q" in chosen:
            text = search_text("q", chosen["q"])
            rows = rows.filter(Q(name__icontains=text) | Q(description__icontains=text))
        page = self.paginate_queryset(workflow_rows(rows))
        return self.get_paginated_response([workflow_row(row) for row in page or ()])

    @extend_schema(
        summary="Create a workflow", request=WorkflowBody, responses={201: WorkflowAnswer}
    )
    def create(self, request: Request) -> Response:
        """Version 1 of the document, owned by the user."""
        user = _user(request)
        require_writer(user)
        fields, document = read_workflow(request.data, WorkflowFields)
        workflow = Workflow.create_with(owner=user, definition=document, **fields.model_dump())
        answer = workflow_answer(workflow)
        return Response(answer, 201, headers={"Location": f"/api/workflows/{workflow.pk}"})

    @extend_schema(summary="Read a workflow", responses=WorkflowAnswer)
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """The workflow with the document of its current version."""
        return Response(workflow_answer(_visible(request, pk)))

    @extend_schema(summary="Replace a workflow", request=WorkflowBody, responses=WorkflowAnswer)
    def update(self, request: Request, pk: UUID) -> Response:
        """Everything that the body leaves out takes its default. Owner or admin."""
        workflow = _editable(request, pk)
        fields, document = read_workflow(request.data, WorkflowFields)
        workflow.change(fields.model_dump(), document, by=_user(request))
        return Response(workflow_answer(workflow))

    @extend_schema(summary="Change a workflow", request=WorkflowPatch, responses=WorkflowAnswer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """What the body leaves out stays as it is. Owner or admin."""
        workflow = _editable(request, pk)
        changes, document = read_workflow(request.data, WorkflowChanges)
        workflow.change(changes.given(), document or None, by=_user(request), merge=True)
        return Response(workflow_answer(workflow))

    @extend_schema(
        summary="Delete a workflow",
        responses={204: None, 409: OpenApiResponse(description="An execution is under way.")},
    )
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Delete it with its versions and executions. Owner or admin."""
        _editable(request, pk).delete()
        return Response(status=204)

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
        workflow = _visible(request, pk)
        require_writer(_user(request))
        body = ExecuteBody.read(request.data)
        execution = workflow.execute(
            user=_user(request),
            input=body.input,
            trigger="api",
            cost_cap=body.cost_cap,
            idempotency_key=_idempotency_key(request),
        )
        location = {"Location": f"/api/executions/{execution.pk}"}
        return Response(execution_answer(execution), 202, headers=location)


def _user(request: Request) -> User:
    return cast(User, request.user)


def _visible(request: Request, pk: UUID) -> Workflow:
    readable = Workflow.objects.visible_to(_user(request))
    return get_object_or_404(readable.select_related("owner", "current_version"), pk=pk)


def _editable(request: Request, pk: UUID) -> Workflow:
    workflow = _visible(request, pk)
    require_editor(_user(request), workflow)
    return workflow


def _idempotency_key(request: Request) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > MAX_IDEMPOTENCY_KEY or not (key.isascii() and (key.isprintable())):
        message = f"Use at most {MAX_IDEMPOTENCY_KEY} printable ASCII characters."
        raise InvalidBody([{"path": "Idempotency-Key", "code": "invalid", "message": message}])
    return key
