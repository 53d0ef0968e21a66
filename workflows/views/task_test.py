"""One task of the editor on its own: its final prompt, and a real run with sample values."""

import re
import uuid
from typing import Any, Final

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.http import UserRequest
from accounts.views.access import signed_in
from hummbl import ratelimit
from hummbl.errors import AppError
from workflows import definition, drafts
from workflows.access import require_writer
from workflows.models import Execution, ExecutionStatus, TaskStatus, Trigger, Workflow
from workflows.preview import preview
from workflows.sample_form import SampleForm
from workflows.single_task import single_task
from workflows.views.access import editable_workflow, visible_execution

_PART = re.compile(r"tasks-\d{1,6}", re.ASCII)
_LABELS: Final = {
    "description": "Prompt",
    "agent_id": "Agent",
    "dependencies": "Runs after",
    "input": "Other fields",
}


@signed_in
@never_cache
@require_POST
def workflow_preview(request: UserRequest) -> HttpResponse:
    """The final prompt of the `task` in a posted editor; stores nothing.

    With `workflow`, the sample values begin with those of its last completed run.
    """
    require_writer(request.user)
    workflow = _workflow(request)
    try:
        document = _single(request)
    except definition.DefinitionError as error:
        return _render(request, {"problems": _sentences(error)})
    form = SampleForm(
        document, request.POST, part=_part(request), **_last(request, workflow, document)
    )
    inputs, outputs = form.read()
    return _render(request, _previewed(document, inputs, outputs) | {"form": form})


@signed_in
@never_cache
@require_POST
def workflow_task_test(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Run the `task` of a posted editor, saved or not, with the sample values beside it."""
    workflow = editable_workflow(request.user, pk)
    try:
        document = _single(request)
        form = SampleForm(document, request.POST, part=_part(request))
        inputs, outputs = form.read()
        form.require_all()
        if not form.errors:
            ratelimit.check_execute(request, request.user)
            execution = Execution.start_test(
                workflow,
                _typed(request),
                _task_id(request),
                input=inputs,
                outputs=outputs,
                user=request.user,
            )
            return _result(request, execution)
    except definition.DefinitionError as error:
        return _render(request, {"problems": _sentences(error)})
    except definition.InputError as error:
        form.place(error)
    except ratelimit.RateLimited:
        raise
    except AppError as error:
        return _render(request, {"problems": [error.message]}, status=error.status_code)
    return _render(request, _previewed(document, inputs, outputs) | {"form": form})


@signed_in
@never_cache
@require_safe
def task_test_result(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """What became of a test, as a fragment that asks again until there is an end."""
    execution = visible_execution(request.user, pk)
    if execution.trigger != Trigger.TEST:
        raise Http404
    return _result(request, execution)


def _result(request: UserRequest, execution: Execution) -> HttpResponse:
    # The stand-ins come after the task: see single_task.
    task = execution.tasks.get(position=0)
    context = {"execution": execution, "task": task}
    return render(request, "workflows/_test_result.html", context)


def _render(request: UserRequest, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    return render(request, "workflows/_try.html", context, status=status)


def _typed(request: UserRequest) -> dict[str, Any]:
    rows = drafts.read_rows(request.POST)
    drafts.settle_ids(rows)
    return drafts.to_document(rows, request.POST.get("input_schema", ""))


def _task_id(request: UserRequest) -> str:
    return request.POST.get("task", "")


def _part(request: UserRequest) -> str:
    part = request.POST.get("part", "")
    return part if _PART.fullmatch(part) else "task"


def _single(request: UserRequest) -> definition.WorkflowDefinition:
    return definition.parse(single_task(_typed(request), _task_id(request)))


def _sentences(error: definition.DefinitionError) -> list[str]:
    """What is wrong with a task, each sentence with the name of its field."""
    sentences = []
    for problem in error.errors:
        place, _, name = problem["path"].partition("].")
        name = re.split(r"[.\[]", name)[0]
        label = _LABELS.get(name) or name.replace("_", " ").capitalize()
        whose = "Agent, " if place.startswith("agents") else ""
        sentences.append(f"{whose}{label}: {problem['message']}" if label else problem["message"])
    return sentences


def _previewed(
    document: definition.WorkflowDefinition, inputs: dict[str, Any], outputs: dict[str, str]
) -> dict[str, Any]:
    given = {task_id: text for task_id, text in outputs.items() if text}
    try:
        return {"preview": preview(document, input=inputs, outputs=given)}
    except definition.PlaceholderError as error:
        return {"problems": [error.message]}


def _workflow(request: UserRequest) -> Workflow | None:
    try:
        pk = uuid.UUID(request.POST.get("workflow", ""))
    except ValueError:
        return None
    return editable_workflow(request.user, pk)


def _last(
    request: UserRequest, workflow: Workflow | None, document: definition.WorkflowDefinition
) -> dict[str, Any]:
    """The values of the last completed run of the workflow, as far as this task has use of them."""
    runs = Execution.objects.visible_to(request.user).filter(
        workflow=workflow, status=ExecutionStatus.COMPLETED
    )
    run = workflow and runs.without_tests().order_by("-created_at", "-id").first()
    if not run:
        return {}
    wanted = [task.id for task in document.tasks[1:]]
    done = run.tasks.filter(task_id__in=wanted, status=TaskStatus.COMPLETED)
    return {"inputs": run.input, "outputs": dict(done.values_list("task_id", "output"))}
