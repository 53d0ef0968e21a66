"""Making and changing a workflow."""

import uuid

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.http import UserRequest
from accounts.views.access import signed_in
from workflows.access import require_writer
from workflows.editor import Editor
from workflows.forms import Part
from workflows.models import ApiKey, StaleVersion, Workflow
from workflows.nodes import Node, draft_nodes
from workflows.providers import catalogue
from workflows.views.access import editable_workflow

HTML, JSON = "text/html", "application/json"
METHODS = ["GET", "HEAD", "POST"]
# Fetched at once, not one after another as each script names the next.
MODULES = [
    *("js/dag-edit.js", "js/dag-graph.js", "js/dag-layout.js"),
    *(
        f"js/editor/{name}.js"
        for name in ("parts", "names", "dependencies", "changes", "graph", "drafts")
    ),
]
SAVE, SAVE_AND_RUN, OVERWRITE = "save", "save_and_run", "overwrite"


@signed_in
@never_cache
@require_http_methods(METHODS)
def workflow_create(request: UserRequest) -> HttpResponse:
    """A new workflow, from a form with one agent and one task."""
    require_writer(request.user)
    return _edit(request, None)


@signed_in
@never_cache
@require_http_methods(METHODS)
def workflow_edit(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Change a workflow; what it runs changes with a new version."""
    return _edit(request, editable_workflow(request.user, pk))


@signed_in
@require_POST
def workflow_check(request: UserRequest) -> JsonResponse:
    """What is to be corrected in a posted editor, by the ids of its fields; stores nothing."""
    require_writer(request.user)
    editor = Editor(user=request.user, workflow=None, data=request.POST)
    editor.check()
    return JsonResponse({"errors": editor.errors})


def _edit(request: UserRequest, workflow: Workflow | None) -> HttpResponse:
    if request.method != "POST":
        return _render(request, Editor(user=request.user, workflow=workflow))
    editor = Editor(user=request.user, workflow=workflow, data=request.POST)
    action = request.POST.get("action", SAVE)
    if action not in {SAVE, SAVE_AND_RUN, OVERWRITE}:
        return _render(request, editor, focus=editor.act(action))
    respond = _in_place if request.get_preferred_type([HTML, JSON]) == JSON else _as_page
    try:
        saved = editor.save(overwrite=action == OVERWRITE)
    except StaleVersion as stale:
        return respond(request, editor, stale=stale)
    if not saved:
        return respond(request, editor, status=422)
    messages.success(request, f"“{saved.name}” was saved.")
    name = "workflow_run" if action == SAVE_AND_RUN else "workflow_detail"
    return respond(request, editor, saved=saved, url=reverse(name, args=[saved.pk]))


def _as_page(
    request: UserRequest,
    editor: Editor,
    *,
    saved: Workflow | None = None,
    url: str = "",
    stale: StaleVersion | None = None,
    status: int = 200,
) -> HttpResponse:
    return redirect(url) if saved else _render(request, editor, stale=stale, status=status)


def _in_place(
    request: UserRequest,
    editor: Editor,
    *,
    saved: Workflow | None = None,
    url: str = "",
    stale: StaleVersion | None = None,
    status: int = 200,
) -> HttpResponse:
    """The answer for the script that saves in place: what it shows without leaving the page."""
    if saved:
        assert saved.current_version is not None
        return JsonResponse({"url": url, "version": saved.current_version.number})
    if not stale:
        return JsonResponse({"errors": editor.errors}, status=status)
    context = {"workflow": editor.workflow, "stale": stale}
    banner = render_to_string("workflows/_stale.html", context, request)
    answer = {"banner": banner, "version": stale.version.number}
    return JsonResponse(answer, status=stale.status_code)


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
        "modules": MODULES,
        "blank_agent": Part.blank("agents"),
        "blank_task": Part.blank("tasks"),
        "blank_node": Node("", "", "", (), "nothing", "#"),
    }
    status = stale.status_code if stale else status
    return render(request, "workflows/workflow_form.html", context, status=status)
