"""The workflow that a request is about: another's is 404, a reader who writes gets 403."""

from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework.request import Request

from accounts.api.authentication import user_of
from workflows.access import require_editor
from workflows.models import Workflow


def visible_workflow(request: Request, pk: UUID) -> Workflow:
    """The workflow with its owner and current document. Raises Http404."""
    return get_object_or_404(_readable(request).select_related("owner", "current_version"), pk=pk)


def bare_workflow(request: Request, pk: UUID) -> Workflow:
    """The workflow alone, for questions that need no document. Raises Http404."""
    return get_object_or_404(_readable(request), pk=pk)


def editable_workflow(request: Request, pk: UUID) -> Workflow:
    """The workflow, to be changed. Raises Http404, and Forbidden for a reader."""
    workflow = visible_workflow(request, pk)
    require_editor(user_of(request), workflow)
    return workflow


def _readable(request: Request) -> QuerySet[Workflow]:
    return Workflow.objects.visible_to(user_of(request))
