"""Taking workflows in and out: import, export, copy."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.http import UserRequest
from accounts.views.access import signed_in
from workflows.access import require_writer
from workflows.portable.download import export_response
from workflows.portable.form import ImportForm
from workflows.views.access import visible_workflow


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def workflow_import(request: UserRequest) -> HttpResponse:
    """A new workflow from a file or from pasted text."""
    require_writer(request.user)
    if request.method != "POST":
        return render(request, "workflows/workflow_import.html", {"form": ImportForm()})
    form = ImportForm(request.POST, request.FILES)
    workflow = form.save(request.user)
    if workflow is None:
        return render(request, "workflows/workflow_import.html", {"form": form}, status=422)
    messages.success(request, f"“{workflow.name}” was imported.")
    return redirect("workflow_detail", pk=workflow.pk)


@signed_in
@require_safe
def workflow_export(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """The workflow as a file to save."""
    return export_response(request, visible_workflow(request.user, pk), by=request.user)


@signed_in
@require_POST
def workflow_copy(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """A workflow of one's own from any that one may read."""
    workflow = visible_workflow(request.user, pk)
    require_writer(request.user)
    made = workflow.copy(by=request.user)
    messages.success(request, f"“{made.name}” is yours to change and run.")
    return redirect("workflow_detail", pk=made.pk)
