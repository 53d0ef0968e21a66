"""`/api/workflows/{id}/versions`: list, read, compare, restore."""

from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.api.authentication import user_of
from hummbl.api.filters import read_filters
from workflows.api.access import bare_workflow, editable_workflow
from workflows.api.answers import workflow_answer
from workflows.api.version_answers import (
    DiffAnswer,
    RestoreAnswer,
    VersionAnswer,
    VersionRow,
    diff_answer,
    version_answer,
    version_row,
)
from workflows.changes import compare
from workflows.models import WorkflowVersion


@extend_schema(tags=["workflows"])
class VersionViewSet(GenericViewSet[WorkflowVersion]):
    """The versions of a workflow, for everyone who may read it. A version never changes."""

    queryset = WorkflowVersion.objects.none()

    @extend_schema(
        operation_id="workflows_versions_list",
        summary="List the versions of a workflow",
        responses=VersionRow,
    )
    def list(self, request: Request, pk: UUID) -> Response:
        """Light rows, newest first, without the documents."""
        workflow = bare_workflow(request, pk)
        read_filters(request)
        page = self.paginate_queryset(workflow.versions.listed()) or ()
        return self.get_paginated_response([version_row(row, workflow) for row in page])

    @extend_schema(
        operation_id="workflows_versions_retrieve",
        summary="Read a version",
        responses=VersionAnswer,
    )
    def retrieve(self, request: Request, pk: UUID, number: int) -> Response:
        """The document as it was."""
        workflow = bare_workflow(request, pk)
        versions = workflow.versions.select_related("created_by")
        version = get_object_or_404(versions, number=number)
        return Response(version_answer(version, workflow))

    @extend_schema(
        operation_id="workflows_versions_diff",
        summary="Compare two versions",
        responses=DiffAnswer,
    )
    def diff(self, request: Request, pk: UUID, number: int, other: int) -> Response:
        """What changed from version `number` to version `other`, whichever is newer."""
        versions = bare_workflow(request, pk).versions
        before = get_object_or_404(versions, number=number)
        after = get_object_or_404(versions, number=other)
        changes = compare(before.definition, after.definition)
        return Response(diff_answer(number, other, changes))

    @extend_schema(
        operation_id="workflows_versions_restore",
        summary="Restore a version",
        request=None,
        responses=RestoreAnswer,
    )
    def restore(self, request: Request, pk: UUID, number: int) -> Response:
        """Make an old document current again, in a new version. Owner or admin.

        Nothing is stored when the current document is the same already.
        """
        workflow = editable_workflow(request, pk)
        restored = workflow.restore(number, by=user_of(request)) is not None
        return Response({**workflow_answer(workflow), "restored": restored})
