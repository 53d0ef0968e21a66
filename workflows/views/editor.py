"""Making and changing a workflow."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.http import UserRequest
from workflows.access import require_writer
from workflows.editor import Editor
from workflows.forms import AgentForm, TaskForm
from workflows.models import ApiKey, StaleVersion, Workflow
from workflows.nodes import Node, draft_nodes
from workflows.providers import catalogue
from workflows.views.access import editable_workflow

METHODS = ["GET", "HEAD", "POST"]
SAVE, SAVE_AND_RUN, OVERWRITE = "save", "save_and_run", "overwrite"


@login_required
@never_cache
@require_http_methods(METHODS)
def workflow_create(request: UserRequest) -> HttpResponse:
    """A new workflow, from a form with one agent and one task."""
    require_writer(request.user)
    return _edit(request, None)


@login_required
@never_cache
@require_http_methods(METHODS)
def workflow_edit(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Change a workflow; what it runs changes with a new version."""
    return _edit(request, editable_workflow(request.user, pk))


def _edit(request: UserRequest, workflow: Workflow | None) -> HttpResponse:
    if request.method != "POST":
        return _render(request, Editor(user=request.user, workflow=workflow))
    editor = Editor(user=request.user, workflow=workflow, data=request.POST)
    action = request.POST.get("action", SAVE)
    if action not in {SAVE, SAVE_AND_RUN, OVERWRITE}:
        return _render(request, editor, focus=editor.act(action))
    try:
        saved = editor.save(overwrite=action == OVERWRITE)
    except StaleVersion as stale:
        return _render(request, editor, stale=stale)
    if not saved:
        return _render(request, editor, status=422)
    messages.success(request, f"“{saved.name}” was saved.")
    return redirect("workflow_run" if action == SAVE_AND_RUN else "workflow_detail", pk=saved.pk)


def _render(
    request: UserRequest,
    editor: Editor,
    *,
    focus: str = "",
    stale: StaleVersion | None = None,
    status: int = 200,
) -> HttpResponse:
    editor.fold()
    models = catalogue.models()
    providers = dict.fromkeys(model.provider for model in models)
    keys = ApiKey.objects.filter(user=request.user).values_list("name", flat=True)
    context = {
        "editor": editor,
        "workflow": editor.workflow,
        "form": editor.details,
        "focus": focus,
        "stale": stale,
        "nodes": draft_nodes(editor.rows),
        "models": {name: [m for m in models if m.provider == name] for name in providers},
        "key_names": sorted(set(keys)),
        "blank_agent": AgentForm.blank(),
        "blank_task": TaskForm.blank(),
        "blank_node": Node("", "", "", (), "nothing", "#"),
    }
    status = stale.status_code if stale else status
    return render(request, "workflows/workflow_form.html", context, status=status)
