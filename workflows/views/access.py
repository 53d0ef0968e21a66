"""Who may open which page: another's object is 404, a reader who wants to write gets 403."""

import uuid

from django.shortcuts import get_object_or_404

from accounts.models import User
from workflows.access import require_editor
from workflows.models import Execution, Workflow


def visible_workflow(user: User, pk: uuid.UUID) -> Workflow:
    """The workflow, with its owner and current version. Raises Http404."""
    workflows = Workflow.objects.visible_to(user).select_related("owner", "current_version")
    return get_object_or_404(workflows, pk=pk)


def bare_workflow(user: User, pk: uuid.UUID) -> Workflow:
    """The workflow with its owner and its version's number, not the document. Raises Http404."""
    workflows = Workflow.objects.visible_to(user).select_related("owner", "current_version")
    return get_object_or_404(workflows.defer("current_version__definition"), pk=pk)


def editable_workflow(user: User, pk: uuid.UUID) -> Workflow:
    """The workflow, to be changed or run. Raises Http404, and Forbidden for a reader."""
    workflow = visible_workflow(user, pk)
    require_editor(user, workflow)
    return workflow


def visible_execution(user: User, pk: uuid.UUID) -> Execution:
    """The execution, with its version's document, workflow and user. Raises Http404."""
    executions = Execution.objects.visible_to(user)
    related = executions.select_related("workflow", "version", "user")
    return get_object_or_404(related, pk=pk)
