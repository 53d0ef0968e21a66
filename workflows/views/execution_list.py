"""The list of runs."""

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.http import UserRequest
from accounts.models import User
from accounts.views.access import signed_in
from hummbl.lists import MAX_SEARCH, remember_filters, sliced
from observability import ranges
from workflows.figures import midnight
from workflows.models import Execution, ExecutionStatus, Trigger, Workflow
from workflows.run_filter import RunFilter

SUGGESTIONS = 100
PERIODS = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}
_PERIOD_LABELS = [
    ("", "Any time"),
    ("24h", "Last 24 hours"),
    ("7d", "Last 7 days"),
    ("30d", "Last 30 days"),
    ("dates", "Between dates"),
]


class RunFilterForm(forms.Form):
    """What the address asks for. A part that makes no sense is left out, not refused."""

    q = forms.CharField(required=False, max_length=MAX_SEARCH)
    status = forms.MultipleChoiceField(required=False, choices=ExecutionStatus.choices)
    workflow = forms.UUIDField(required=False)
    trigger = forms.ChoiceField(required=False, choices=[("", "Any trigger"), *Trigger.choices])
    period = forms.ChoiceField(required=False, choices=_PERIOD_LABELS)
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)
    # Two moments in ISO 8601 with a slash between them: where a chart leads. What it shows happened
    # while these runs were under way, whenever they were started.
    between = forms.CharField(required=False, max_length=80)

    def asked(self, user: User) -> tuple[RunFilter, Workflow | None]:
        """The filter, and the workflow that it names, if the user may see that."""
        self.full_clean()
        given = self.cleaned_data
        after, before = _bounds(given)
        workflow = None
        if given.get("workflow"):
            workflow = Workflow.objects.visible_to(user).filter(pk=given["workflow"]).first()
        run_filter = RunFilter(
            statuses=tuple(given.get("status", ())),
            workflow_id=workflow.pk if workflow else None,
            trigger=given.get("trigger", ""),
            created_after=after,
            created_before=before,
            during=_moments(given.get("between", "")),
            q=given.get("q", ""),
        )
        return run_filter, workflow


def _bounds(given: dict[str, Any]) -> tuple[datetime | None, datetime | None]:
    """The first moment of the period, and the first one after it. Days are those of UTC."""
    period = given.get("period", "")
    if period in PERIODS:
        return timezone.now() - PERIODS[period], None
    if period != "dates":
        return None, None
    since, until = given.get("since"), given.get("until")
    # The last day of the calendar has no day after it, and leaves nothing out.
    after = until + timedelta(days=1) if until and until < date.max else None
    return since and midnight(since), after and midnight(after)


def _moments(text: str) -> tuple[datetime, datetime | None] | None:
    start, _, end = text.partition("/")
    begin = ranges.moment(start)
    return (begin, ranges.moment(end)) if begin else None


@signed_in
@vary_on_headers("HX-Request")
@require_safe
def execution_list(request: UserRequest) -> HttpResponse:
    """Runs, newest first, by what the address asks for; an htmx request gets the table alone."""
    form = RunFilterForm(request.GET)
    run_filter, workflow = form.asked(request.user)
    runs = Execution.objects.visible_to(request.user).with_labels().defer("input")
    context = {
        "slice": sliced(run_filter.of(runs), request.GET.get("cursor", "")),
        "asked": run_filter,
        "filtered": run_filter != RunFilter(),
    }
    if request.htmx:
        return remember_filters(
            request, render(request, "workflows/_execution_table.html", context)
        )
    names = Workflow.objects.visible_to(request.user).order_by("-updated_at")
    context |= {
        "form": form,
        "chosen": workflow,
        "statuses": ExecutionStatus.choices,
        "suggestions": sorted(set(names.values_list("name", flat=True)[:SUGGESTIONS])),
    }
    return render(request, "workflows/execution_list.html", context)
