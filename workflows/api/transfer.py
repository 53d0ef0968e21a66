"""`/api/workflows/…`: check a workflow, take it in and out as a file, copy it; the JSON Schema."""

import hashlib
from typing import Any
from uuid import UUID

import orjson
from django.http import HttpResponse
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import user_of
from accounts.api.scopes import needs_scope
from accounts.models import Scope
from workflows import portable
from workflows.access import require_writer
from workflows.api.access import visible_workflow
from workflows.api.answers import CheckAnswer, WorkflowAnswer, created_workflow
from workflows.api.bodies import CopyBody, FileBody, WorkflowBody, workflow_problems
from workflows.portable.download import export_response, schema_url

_SCHEMA_SECONDS = 3600


class ValidateView(APIView):
    """Whether a workflow could be stored."""

    @needs_scope(Scope.READ)
    @extend_schema(
        operation_id="workflows_validate",
        tags=["workflows"],
        summary="Check a workflow without storing it",
        request=WorkflowBody,
        responses=CheckAnswer,
    )
    def post(self, request: Request) -> Response:
        """Takes what creating a workflow takes, and answers 200 with all that it would refuse.

        Open to every role. `GET /api/workflows/schema` has the JSON Schema, for editors.
        """
        found = workflow_problems(request.data)
        return Response({"valid": not found, "errors": found})


class ImportView(APIView):
    """Workflows from files."""

    @extend_schema(
        operation_id="workflows_import",
        tags=["workflows"],
        summary="Import a workflow",
        request=FileBody,
        responses={201: WorkflowAnswer},
    )
    def post(self, request: Request) -> Response:
        """Takes what exporting gives. The new workflow is the user's own, active, not shared.

        `hummbl` and `name` may be missing; names of provider keys are dropped.
        """
        user = user_of(request)
        require_writer(user)
        return created_workflow(portable.import_workflow(user, request.data))


class ExportView(APIView):
    """A workflow as a file."""

    @extend_schema(
        operation_id="workflows_export",
        tags=["workflows"],
        summary="Export a workflow",
        responses={200: OpenApiResponse(FileBody, description="A file that import takes.")},
    )
    def get(self, request: Request, pk: UUID) -> HttpResponse:
        """The current document with name and description, for another installation.

        No ids of rows, no owner, no keys. Equal workflows give equal bytes.
        """
        return export_response(request, visible_workflow(request, pk), by=user_of(request))


class CopyView(APIView):
    """Copies of workflows."""

    @extend_schema(
        operation_id="workflows_copy",
        tags=["workflows"],
        summary="Copy a workflow",
        request=CopyBody,
        responses={201: WorkflowAnswer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """A workflow of the user's own, from any that they may read; not shared.

        A draft stays a draft, anything else becomes active. The cap comes along; names of
        provider keys only within one owner.
        """
        workflow = visible_workflow(request, pk)
        user = user_of(request)
        require_writer(user)
        body = CopyBody.read(request.data)
        return created_workflow(workflow.copy(by=user, name=body.name))


class DocumentSchemaView(APIView):
    """The JSON Schema of workflow files."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="workflows_schema",
        tags=["workflows"],
        summary="Read the JSON Schema of a workflow",
        auth=[],
        responses={
            (200, "application/schema+json"): OpenApiTypes.OBJECT,
            304: OpenApiResponse(description="`If-None-Match` names what is still current."),
        },
    )
    def get(self, request: Request) -> HttpResponse:
        """Draft 2020-12, of an exported file and of the document in it; for editors."""
        body = orjson.dumps(portable.json_schema(schema_url(request)))
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = {"ETag": etag, "Cache-Control": f"public, max-age={_SCHEMA_SECONDS}"}
        full = HttpResponse(body, content_type="application/schema+json", headers=headers)
        plain: Any = request._request  # noqa: SLF001 - the conditions of the request itself
        answer = get_conditional_response(plain, etag=etag, response=full)
        assert isinstance(answer, HttpResponse)
        return answer
