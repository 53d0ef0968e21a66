"""The versions of a workflow: list, one, two compared, and an old one made current again."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.http import UserRequest
from accounts.views.access import signed_in
from hummbl.lists import sliced
from workflows.access import may_edit
from workflows.changes.page import groups
from workflows.definition import DefinitionError, parse
from workflows.nodes import definition_nodes
from workflows.run_form import input_fields
from workflows.views.access import bare_workflow, editable_workflow


@signed_in
@require_safe
def workflow_versions(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Who saved what and when. With two numbers chosen, on to what differs between them."""
    workflow = bare_workflow(request.user, pk)
    before, after = (request.GET.get(name, "") for name in ("before", "after"))
    if _is_number(before) and _is_number(after):
        return redirect("workflow_diff", pk=pk, number=int(before), other=int(after))
    context = {
        "workflow": workflow,
        "slice": sliced(workflow.versions.listed(), request.GET.get("cursor", "")),
        "may_edit": may_edit(request.user, workflow),
    }
    return render(request, "workflows/version_list.html", context)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


@signed_in
@require_safe
def workflow_version(request: UserRequest, pk: uuid.UUID, number: int) -> HttpResponse:
    """A document as it was."""
    workflow = bare_workflow(request.user, pk)
    versions = workflow.versions.select_related("created_by")
    version = get_object_or_404(versions, number=number)
    document = parse(version.definition)
    context = {
        "workflow": workflow,
        "version": version,
        "document": document,
        "nodes": definition_nodes(document),
        "asks": input_fields(document),
        "may_edit": may_edit(request.user, workflow),
    }
    return render(request, "workflows/version_detail.html", context)


@signed_in
@require_safe
def workflow_diff(request: UserRequest, pk: uuid.UUID, number: int, other: int) -> HttpResponse:
    """What changed from version `number` to version `other`."""
    workflow = bare_workflow(request.user, pk)
    versions = workflow.versions.select_related("created_by")
    before = get_object_or_404(versions, number=number)
    after = get_object_or_404(versions, number=other)
    context = {
        "workflow": workflow,
        "before": before,
        "after": after,
        "groups": groups(before.definition, after.definition),
        "may_restore": may_edit(request.user, workflow)
        and before.pk != workflow.current_version_id,
    }
    return render(request, "workflows/version_diff.html", context)


@signed_in
@require_POST
def workflow_restore(request: UserRequest, pk: uuid.UUID, number: int) -> HttpResponse:
    """Make an old document current again, in a new version."""
    workflow = editable_workflow(request.user, pk)
    try:
        version = workflow.restore(number, by=request.user)
    except DefinitionError as error:
        messages.error(request, f"Version {number} cannot be restored. {error.message}")
        return redirect("workflow_versions", pk=pk)
    if version is None:
        messages.info(request, f"Version {number} is the same as the current one.")
    else:
        messages.success(
            request, f"Version {number} is current again, as version {version.number}."
        )
    return redirect("workflow_detail", pk=pk)
