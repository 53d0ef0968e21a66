"""The administrators' dashboard: how it is going, in charts."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.http import UserRequest
from accounts.views.access import admins_only
from observability import health, ranges
from observability.dashboard.charts import marks, show
from observability.dashboard.panels import TABS, Tab
from observability.models import Alert, ErrorGroup


@admins_only
@vary_on_headers("HX-Request")
@require_safe
def manage_metrics(request: UserRequest) -> HttpResponse:
    """A tab of the dashboard; an htmx request gets what changes by the second."""
    shown = ranges.asked(request.GET, keep=["tab"])
    tab = _tab(request.GET.get("tab", ""))
    context: dict[str, Any] = {
        "range": shown,
        "tab": tab,
        "tabs": TABS,
        "shown": show(tab, shown),
        "marks": marks(shown),
        "health": health.read(),
        "open_errors": ErrorGroup.objects.open().count(),
        "firing": Alert.objects.firing().count(),
    }
    template = "observability/_metrics.html" if request.htmx else "observability/metrics.html"
    return render(request, template, context)


def _tab(slug: str) -> Tab:
    return next((tab for tab in TABS if tab.slug == slug), TABS[0])
