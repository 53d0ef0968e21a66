"""Starting a run."""

import uuid
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.http import UserRequest
from accounts.views.access import signed_in
from hummbl.errors import AppError
from hummbl.ratelimit import RateLimited, check_execute
from workflows.definition import InputError, WorkflowDefinition, parse
from workflows.input_schema import examples
from workflows.models import Execution, Workflow, WorkflowStatus
from workflows.run_form import FIELDS, JSON, RunForm, input_fields, takes_more
from workflows.views.access import editable_workflow


@signed_in
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def workflow_run(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask for the input and start a run of the current version."""
    workflow = editable_workflow(request.user, pk)
    assert workflow.current_version is not None
    document = parse(workflow.current_version.definition)
    if request.method != "POST":
        return _render(request, workflow, document, _fresh(request, workflow, document))
    form = RunForm(request.POST, document=document)
    wanted = request.POST.get("switch")
    if wanted in {FIELDS, JSON}:
        return _render(request, workflow, document, _switched(form, document, wanted))
    try:
        execution = _start(request, workflow, form)
    except RateLimited as refused:
        form.add_error(None, refused.message)
        response = _render(request, workflow, document, form, status=refused.status_code)
        response["Retry-After"] = str(refused.retry_after)
        return response
    if execution:
        return redirect("execution_detail", pk=execution.pk)
    return _render(request, workflow, document, form, status=422)


def _fresh(request: UserRequest, workflow: Workflow, document: WorkflowDefinition) -> RunForm:
    """The form as it begins: with an earlier run's input, or the document's example, if asked."""
    earlier = _input_of_run(request, workflow)
    if earlier is not None:
        asked = {spec.name for spec in input_fields(document)}
        mode = FIELDS if earlier.keys() <= asked else JSON
        return RunForm(document=document, mode=mode, input=earlier)
    wanted = request.GET.get("example") == "1"
    return RunForm(document=document, input=examples(document.input_schema or {}) if wanted else {})


def _input_of_run(request: UserRequest, workflow: Workflow) -> dict[str, Any] | None:
    """The input of the run that the address names with `from`; None when there is no such run."""
    try:
        pk = uuid.UUID(request.GET.get("from", ""))
    except ValueError:
        return None
    runs = workflow.executions.visible_to(request.user)
    found: dict[str, Any] | None = runs.filter(pk=pk).values_list("input", flat=True).first()
    return found


def _switched(form: RunForm, document: WorkflowDefinition, mode: str) -> RunForm:
    """The same input in the other form; the one that was posted when it cannot be read."""
    form.is_valid()
    for name in form.errors.copy():
        del form.errors[name]
    typed = form.input()
    if form.errors:
        return form
    kept = {"cost_cap": form["cost_cap"].value()}
    return RunForm(document=document, mode=mode, input=typed, initial=kept)


def _start(request: UserRequest, workflow: Workflow, form: RunForm) -> Execution | None:
    valid, typed = form.is_valid(), form.input()
    if not valid or form.errors:
        return None
    check_execute(request, request.user)
    try:
        return workflow.execute(
            user=request.user,
            input=typed,
            cost_cap=form.cleaned_data["cost_cap"],
            idempotency_key=form.cleaned_data["idempotency_key"],
        )
    except InputError as error:
        form.place(error)
    except AppError as error:
        form.add_error(None, error.message)
        form.renew()
    return None


def _render(
    request: UserRequest,
    workflow: Workflow,
    document: WorkflowDefinition,
    form: RunForm,
    *,
    status: int = 200,
) -> HttpResponse:
    context = {
        "workflow": workflow,
        "document": document,
        "form": form,
        "takes_more": takes_more(document),
        "has_example": bool(examples(document.input_schema or {})),
        "is_active": workflow.status == WorkflowStatus.ACTIVE,
    }
    return render(request, "workflows/workflow_run.html", context, status=status)
