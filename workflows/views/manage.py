"""What administrators see of everybody's work: workflows, runs, and how it is all going."""

import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.http import UserRequest
from accounts.views.access import admins_only
from hummbl import cache
from hummbl.errors import AppError
from hummbl.lists import MAX_SEARCH, list_page, sliced
from workflows.figures import oversight, statistics
from workflows.figures.charts import Stack, stacks
from workflows.models import Execution, ExecutionStatus, Workflow, WorkflowStatus
from workflows.run_filter import RunFilter
from workflows.views.execution_list import RunFilterForm


class ManagedWorkflowForm(forms.Form):
    """What the address asks for. A part that makes no sense is left out, not refused."""

    q = forms.CharField(required=False, max_length=MAX_SEARCH)
    status = forms.ChoiceField(
        required=False, choices=[("", "Any status"), *WorkflowStatus.choices]
    )
    owner = forms.CharField(required=False, max_length=MAX_SEARCH)

    def workflows(self) -> Any:
        """The workflows asked for, each with its owner."""
        self.full_clean()
        given = self.cleaned_data
        found = Workflow.objects.select_related("owner")
        if given.get("q"):
            found = found.matching(given["q"])
        if given.get("status"):
            found = found.filter(status=given["status"])
        if given.get("owner"):
            found = found.filter(oversight.is_person("owner", given["owner"]))
        return found

    @property
    def narrows(self) -> bool:
        """Whether any workflow may be left out."""
        return any(self.cleaned_data.values())


@admins_only
@vary_on_headers("HX-Request")
@require_safe
def manage_workflows(request: UserRequest) -> HttpResponse:
    """Everybody's workflows with what they are used for; an htmx request gets the table alone."""
    form = ManagedWorkflowForm(request.GET)
    page = sliced(form.workflows(), request.GET.get("cursor", ""))
    activity = oversight.activity_of([workflow.pk for workflow in page.rows])
    context = {
        "slice": page,
        "rows": [(workflow, activity[workflow.pk]) for workflow in page.rows],
        "spend_days": oversight.SPEND_DAYS,
        "filtered": form.narrows,
        "form": form,
    }
    return list_page(
        request, "workflows/manage_workflows.html", "workflows/_manage_workflows.html", context
    )


class ManagedRunForm(RunFilterForm):
    """Runs, by whose they are too."""

    user = forms.CharField(required=False, max_length=MAX_SEARCH)


@admins_only
@vary_on_headers("HX-Request")
@require_http_methods(["GET", "HEAD", "POST"])
def manage_executions(request: UserRequest) -> HttpResponse:
    """Everybody's runs; an htmx request gets the table alone. A POST cancels `execution`."""
    if request.method == "POST":
        return _cancel(request)
    form = ManagedRunForm(request.GET)
    run_filter, workflow = form.asked(request.user)
    runs = run_filter.of(Execution.objects.with_labels().defer("input"))
    user = form.cleaned_data.get("user", "")
    if user:
        runs = runs.filter(oversight.is_person("user", user))
    context = {
        "slice": sliced(runs, request.GET.get("cursor", "")),
        "asked": run_filter,
        "filtered": bool(user) or run_filter != RunFilter(),
        "form": form,
        "chosen": workflow,
        "statuses": ExecutionStatus.choices,
    }
    return list_page(
        request, "workflows/manage_executions.html", "workflows/_manage_executions.html", context
    )


def _cancel(request: UserRequest) -> HttpResponse:
    """Cancel a run and go back to the list as it was."""
    try:
        pk = uuid.UUID(request.POST.get("execution", ""))
    except ValueError:
        raise Http404 from None
    execution = get_object_or_404(Execution, pk=pk)
    try:
        execution.cancel(by=request.user)
    except AppError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The run is being cancelled.")
    return redirect(request.get_full_path())


@dataclass(frozen=True, slots=True)
class Period:
    """A row of the table of periods."""

    label: str
    runs: statistics.Runs
    spend: Decimal | None


@admins_only
@vary_on_headers("HX-Request")
@require_safe
def manage_stats(request: UserRequest) -> HttpResponse:
    """How the installation is doing; an htmx request gets the part that changes by the second."""
    context: dict[str, Any] = {"now": statistics.now()}
    if request.htmx:
        return render(request, "workflows/_manage_now.html", context)
    found = statistics.overview()
    periods = [("Today", 1), ("7 days", statistics.WEEK), ("30 days", statistics.DAYS)]
    context |= {
        "found": found,
        "week": found.runs_of(statistics.WEEK),
        "spend_week": found.spend_of(statistics.WEEK),
        "spend_month": found.spend_of(statistics.DAYS),
        "periods": [
            *(Period(label, found.runs_of(days), found.spend_of(days)) for label, days in periods),
            Period("All", found.executions, None),
        ],
        "run_bars": _run_bars(found),
        "spend_bars": stacks([{"spend": float(day.spend)} for day in found.days]),
        "cache": cache.stats(),
        "columns": ExecutionStatus.choices,
    }
    return render(request, "workflows/manage_stats.html", context)


def _run_bars(found: statistics.Overview) -> list[Stack]:
    """Completed at the bottom, then failed, then the rest."""
    good, bad = ExecutionStatus.COMPLETED, ExecutionStatus.FAILED
    return stacks(
        [
            {
                "completed": day.runs.by_status[good],
                "failed": day.runs.by_status[bad],
                "other": day.runs.total - day.runs.by_status[good] - day.runs.by_status[bad],
            }
            for day in found.days
        ]
    )
