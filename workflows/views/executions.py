"""Runs: the list, the live page of one, a task of it, and its end."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.http import UserRequest
from hummbl.errors import Conflict
from workflows.access import may_edit, require_writer
from workflows.attempts import attempts_of
from workflows.models import Execution, ExecutionStatus, TaskResult, TaskStatus, Workflow
from workflows.nodes import execution_nodes, timeline
from workflows.views.access import signed_in, visible_execution
from workflows.views.paging import newest

# Which task the page opens with: what needs a person first, what is the result last.
_FIRST_LOOK = (TaskStatus.FAILED, TaskStatus.RUNNING, TaskStatus.WAITING)


@signed_in
@vary_on_headers("HX-Request")
@require_safe
def execution_list(request: UserRequest) -> HttpResponse:
    """Runs, newest first, by status and workflow; an htmx request gets the table alone."""
    executions = Execution.objects.visible_to(request.user).with_labels()
    status = request.GET.get("status", "")
    if status in ExecutionStatus.values:
        executions = executions.filter(status=status)
    chosen = _chosen_workflow(request)
    if chosen:
        executions = executions.filter(workflow=chosen)
    context = {
        "slice": newest(executions, request.GET.get("before", "")),
        "status": status,
        "statuses": ExecutionStatus.choices,
        "chosen": chosen,
        "workflows": Workflow.objects.visible_to(request.user).order_by("name")[:200],
        "filtered": bool(status or chosen),
    }
    template = "_execution_table.html" if request.htmx else "execution_list.html"
    return render(request, f"workflows/{template}", context)


def _chosen_workflow(request: UserRequest) -> Workflow | None:
    try:
        pk = uuid.UUID(request.GET.get("workflow", ""))
    except ValueError:
        return None
    return Workflow.objects.visible_to(request.user).filter(pk=pk).first()


@signed_in
@vary_on_headers("HX-Request")
@require_safe
def execution_detail(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """A run while it happens, or as it was; an htmx request gets what stands above the graph."""
    execution = visible_execution(request.user, pk)
    # The events are read after the row that counts them: the page may be newer, never older.
    results = list(execution.tasks.defer("input", "output"))
    context = _summary(request, execution, results)
    if request.htmx:
        return render(request, "workflows/_execution_head.html", context)
    selected = _selected(request.GET.get("task", ""), results)
    current = selected.task_id if selected else ""
    context |= {
        "nodes": execution_nodes(execution.version.definition, results, current),
        "timeline": timeline(execution, results, current),
        "live": _live(execution),
    }
    if selected:
        context |= _task_context(execution, execution.tasks.get(pk=selected.pk))
    return render(request, "workflows/execution_detail.html", context)


def _summary(
    request: UserRequest, execution: Execution, results: list[TaskResult]
) -> dict[str, Any]:
    counts = dict.fromkeys(TaskStatus.values, 0)
    for result in results:
        counts[result.status] += 1
    return {
        "execution": execution,
        "counts": counts,
        "failed": [result for result in results if result.status == TaskStatus.FAILED],
        "may_cancel": request.user.can_write and not execution.is_terminal,
        "may_run": may_edit(request.user, execution.workflow),
    }


def _live(execution: Execution) -> dict[str, Any]:
    """What the script of the page needs to go on from here."""
    return {
        "url": f"/api/executions/{execution.pk}/stream",
        "page": f"/executions/{execution.pk}",
        "sequence": execution.last_sequence,
        "status": execution.status,
        "started_at": execution.started_at,
        "completed_at": execution.completed_at,
        "now": timezone.now(),
    }


def _selected(wanted: str, results: list[TaskResult]) -> TaskResult | None:
    for result in results:
        if result.task_id == wanted:
            return result
    for status in _FIRST_LOOK:
        for result in results:
            if result.status == status:
                return result
    done = [result for result in results if result.status == TaskStatus.COMPLETED]
    if done:
        return done[-1]
    return results[0] if results else None


@signed_in
@require_safe
def execution_task(request: UserRequest, pk: uuid.UUID, task_id: str) -> HttpResponse:
    """One task of a run as a fragment; in an address bar it leads to the page with it open."""
    execution = visible_execution(request.user, pk)
    task = execution.tasks.filter(task_id=task_id).first()
    if task is None:
        raise Http404
    if not request.htmx:
        return redirect(f"/executions/{pk}?task={task_id}")
    return render(request, "workflows/_task_panel.html", _task_context(execution, task))


def _task_context(execution: Execution, task: TaskResult) -> dict[str, Any]:
    definition = execution.version.definition
    agents = {agent["id"]: agent for agent in definition["agents"]}
    tasks = {item["id"]: item for item in definition["tasks"]}
    return {
        "execution": execution,
        "task": task,
        "agent": agents.get(task.agent_id),
        "spec": tasks.get(task.task_id, {}),
        "attempts": attempts_of(task),
    }


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
