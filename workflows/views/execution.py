"""One run: its live page, a task of it, what it has answered as files, and its end."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import slugify
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.http import UserRequest
from accounts.views.access import signed_in
from hummbl.errors import Conflict
from workflows import execution_page
from workflows.access import may_edit, require_writer
from workflows.execution_page import outputs
from workflows.execution_page.attempts import Calls, calls_of, unpriced
from workflows.execution_page.timeline import timeline
from workflows.models import Execution, TaskResult, TaskStatus
from workflows.nodes import execution_nodes
from workflows.views.access import visible_execution

VIEWS = {"graph": "Graph", "timeline": "Timeline", "list": "List"}
_VIEW_COOKIE = "run_view"
_YEAR = 365 * 86_400
_KINDS = {"md": "text/plain", "txt": "text/plain", "json": "application/json"}


@signed_in
@vary_on_headers("HX-Request")
@require_safe
def execution_detail(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """A run while it happens, or as it was.

    An htmx request gets what stands above the tasks, or with `part=timeline` the timeline.
    """
    execution = visible_execution(request.user, pk)
    # The events are read after the row that counts them: the page may be newer, never older.
    results = list(execution.tasks.defer("input", "output"))
    calls = calls_of(execution)
    if request.htmx and request.GET.get("part") == "timeline":
        shown = timeline(execution, results, calls, request.GET.get("task", ""))
        return render(request, "workflows/_timeline.html", {"timeline": shown})
    context = _head_context(request, execution, results, calls)
    if request.htmx:
        return render(request, "workflows/_execution_head.html", context)
    return _page(request, execution, results, calls, context)


def _head_context(
    request: UserRequest, execution: Execution, results: list[TaskResult], calls: Calls
) -> dict[str, Any]:
    return {
        "execution": execution,
        "counts": execution_page.counts(results),
        "failed": [result for result in results if result.status == TaskStatus.FAILED],
        "unpriced": unpriced(results, calls),
        "may_cancel": request.user.can_write and not execution.is_terminal,
        "may_run": may_edit(request.user, execution.workflow),
    }


def _page(
    request: UserRequest,
    execution: Execution,
    results: list[TaskResult],
    calls: Calls,
    context: dict[str, Any],
) -> HttpResponse:
    task = execution_page.selected(request.GET.get("task", ""), results)
    current = task.task_id if task else ""
    spans = timeline(execution, results, calls, current)
    wanted = request.GET.get("view", "")
    kept = request.COOKIES.get(_VIEW_COOKIE, "")
    context |= {
        "nodes": execution_nodes(execution.document, results, current, context["unpriced"]),
        "timeline": spans,
        "live": execution_page.live(execution, spans),
        "views": VIEWS,
        "view": next((view for view in (wanted, kept) if view in VIEWS), ""),
    }
    if task:
        context |= _panel_context(request, execution, execution.tasks.get(pk=task.pk))
    response = render(request, "workflows/execution_detail.html", context)
    if wanted in VIEWS:
        secure = request.is_secure()
        response.set_cookie(_VIEW_COOKIE, wanted, _YEAR, secure=secure, samesite="Lax")
    return response


def _panel_context(request: UserRequest, execution: Execution, task: TaskResult) -> dict[str, Any]:
    panel = execution_page.task_panel(execution, task)
    last = {task.task_id: panel.attempts}
    return {
        "execution": execution,
        "task": task,
        "panel": panel,
        "is_unpriced": bool(unpriced([task], last)),
        "raw": request.GET.get("output") == "raw",
    }


@signed_in
@require_safe
def execution_task(request: UserRequest, pk: uuid.UUID, task_id: str) -> HttpResponse:
    """One task of a run as a fragment; in an address bar it leads to the page with it open."""
    execution = visible_execution(request.user, pk)
    task = _task(execution, task_id)
    if not request.htmx:
        query = urlencode({"task": task_id})
        return redirect(f"{reverse('execution_detail', args=[pk])}?{query}#task")
    context = _panel_context(request, execution, task)
    return render(request, "workflows/_task_panel.html", context)


def _task(execution: Execution, task_id: str) -> TaskResult:
    task = execution.tasks.filter(task_id=task_id).first()
    if task is None:
        raise Http404
    return task


@signed_in
@require_safe
def execution_output(request: UserRequest, pk: uuid.UUID, task_id: str) -> HttpResponse:
    """What a task has answered, as a file: `as` is `md`, `txt` or `json`."""
    execution = visible_execution(request.user, pk)
    task = _task(execution, task_id)
    kind = request.GET.get("as", "md")
    content = outputs.task_file(task, kind) if kind in _KINDS else None
    if content is None or not task.output:
        raise Http404
    execution.record_download(by=request.user, task=task.task_id, kind=kind)
    return _file(content, f"{execution.workflow.name} {task.task_name}", kind)


@signed_in
@require_safe
def execution_outputs(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Every answer of a run in one file: `as` is `md` or `json`."""
    execution = visible_execution(request.user, pk)
    kind = request.GET.get("as", "md")
    if kind not in {"md", "json"}:
        raise Http404
    results = execution.tasks.defer("input")
    execution.record_download(by=request.user, kind=kind)
    return _file(outputs.run_file(execution, results, kind), execution.workflow.name, kind)


def _file(content: bytes, name: str, kind: str) -> HttpResponse:
    """A download. It is what a model wrote: never markup, and never shown by the browser itself."""
    name = slugify(name)[:80].strip("-") or "output"
    return HttpResponse(
        content,
        content_type=f"{_KINDS[kind]}; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}.{kind}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


@signed_in
@require_POST
def execution_cancel(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask for the end of a run."""
    execution = visible_execution(request.user, pk)
    require_writer(request.user)
    try:
        execution.cancel(by=request.user)
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The run is being cancelled.")
    return redirect("execution_detail", pk=pk)
