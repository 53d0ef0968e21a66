"""What needs a person, what runs, what ran, and what it cost."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts.http import UserRequest
from accounts.views.access import signed_in
from hummbl.ratelimit import check_execute
from workflows import samples
from workflows.access import require_writer
from workflows.figures.attention import needs
from workflows.figures.charts import spend_chart
from workflows.figures.dashboard import Scope, figures
from workflows.models import Workflow

RECENT = 8
UNDER_WAY = 6


@signed_in
@vary_on_headers("HX-Request")
@require_http_methods(["GET", "HEAD", "POST"])
def dashboard(request: UserRequest) -> HttpResponse:
    """The first page; an htmx request gets the parts that move. A POST runs the sample workflow.

    An admin may look at everyone's runs with `?scope=all`.
    """
    if request.method == "POST":
        return _run_sample(request)
    user = request.user
    scope = Scope(user, everyone=user.is_admin and request.GET.get("scope") == "all")
    context = _live(scope)
    if request.htmx:
        return render(request, "workflows/_dashboard_live.html", context)
    context |= {
        "chart": spend_chart(context["figures"].spend),
        "has_workflows": Workflow.objects.filter(owner=user).exists(),
    }
    return render(request, "workflows/dashboard.html", context)


def _run_sample(request: UserRequest) -> HttpResponse:
    require_writer(request.user)
    check_execute(request, request.user)
    execution = samples.ensure(request.user).execute(user=request.user, input={})
    messages.success(request, "The sample workflow is running on the embedded model.")
    return redirect("execution_detail", pk=execution.pk)


def _live(scope: Scope) -> dict[str, Any]:
    found = figures(scope)
    runs = scope.runs.with_labels().defer("input").order_by("-created_at", "-pk")
    return {
        "scope": scope,
        "figures": found,
        "needs": needs(scope, found.failing),
        "under_way": list(runs.under_way()[:UNDER_WAY]) if found.under_way else [],
        "recent": list(runs.filter(completed_at__isnull=False)[:RECENT]),
    }
