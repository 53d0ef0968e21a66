"""The page of a workflow, and its end."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.http import UserRequest
from accounts.views.access import signed_in
from hummbl.errors import Conflict
from workflows.access import may_edit
from workflows.definition import parse
from workflows.models import Execution
from workflows.nodes import definition_nodes
from workflows.run_form import input_fields
from workflows.views.access import editable_workflow, visible_workflow

RECENT = 10


@signed_in
@require_safe
def workflow_detail(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Graph, agents, tasks and the last runs."""
    workflow = visible_workflow(request.user, pk)
    assert workflow.current_version is not None
    document = parse(workflow.current_version.definition)
    runs = Execution.objects.visible_to(request.user).filter(workflow=workflow).with_labels()
    context = {
        "workflow": workflow,
        "document": document,
        "nodes": definition_nodes(document),
        "asks": input_fields(document),
        "runs": runs.order_by("-created_at")[:RECENT],
        "may_edit": may_edit(request.user, workflow),
    }
    return render(request, "workflows/workflow_detail.html", context)


@signed_in
@require_POST
def workflow_delete(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Delete a workflow with its versions and runs."""
    workflow = editable_workflow(request.user, pk)
    try:
        workflow.delete(by=request.user)
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("workflow_detail", pk=pk)
    messages.success(request, f"“{workflow.name}” was deleted.")
    return redirect("workflow_list")
