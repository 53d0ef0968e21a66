"""The list of workflows, the page of one, and its end."""

import uuid
from typing import Any

from django.contrib import messages
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.http import UserRequest
from accounts.models import User
from hummbl.errors import Conflict
from workflows.access import may_edit
from workflows.definition import parse
from workflows.models import Execution, Workflow, WorkflowStatus
from workflows.nodes import definition_nodes
from workflows.run_form import input_fields
from workflows.views.access import editable_workflow, signed_in, visible_workflow
from workflows.views.paging import numbered

MAX_SEARCH = 200
RUN_DOTS = 6
RECENT = 10


@signed_in
@vary_on_headers("HX-Request")
@require_safe
def workflow_list(request: UserRequest) -> HttpResponse:
    """Workflows by name and status; an htmx request gets the table alone."""
    query = request.GET.get("q", "").replace("\0", "").strip()[:MAX_SEARCH]
    status = request.GET.get("status", "")
    workflows = Workflow.objects.visible_to(request.user).select_related("owner")
    if query:
        workflows = workflows.filter(Q(name__icontains=query) | Q(description__icontains=query))
    if status in WorkflowStatus.values:
        workflows = workflows.filter(status=status)
    page = numbered(with_recent_runs(workflows, request.user), request.GET.get("page", ""))
    for workflow in page.object_list:
        workflow.dots = _dots(workflow)
        workflow.is_mine = may_edit(request.user, workflow)
    context = {
        "page": page,
        "q": query,
        "status": status,
        "statuses": WorkflowStatus.choices,
        "filtered": bool(query or status),
    }
    template = "workflows/_workflow_table.html" if request.htmx else "workflows/workflow_list.html"
    return render(request, template, context)


def with_recent_runs(workflows: QuerySet[Workflow], user: User) -> QuerySet[Workflow]:
    """Add the last runs that the user may see: their states, and when the newest one began."""
    runs = (
        Execution.objects.visible_to(user).filter(workflow=OuterRef("pk")).order_by("-created_at")
    )
    states: dict[str, Any] = {
        f"run_{n}": Subquery(runs.values("status")[n : n + 1]) for n in range(RUN_DOTS)
    }
    return workflows.annotate(
        last_run_at=Subquery(runs.values("created_at")[:1]),
        last_run_id=Subquery(runs.values("pk")[:1]),
        **states,
    )


def _dots(workflow: Any) -> list[str]:
    """The states of the last runs, the newest last."""
    states = (getattr(workflow, f"run_{n}") for n in reversed(range(RUN_DOTS)))
    return [state for state in states if state]


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
        workflow.delete()
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("workflow_detail", pk=pk)
    messages.success(request, f"“{workflow.name}” was deleted.")
    return redirect("workflow_list")
