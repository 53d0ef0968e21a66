"""What browsers tell, for administrators: views, where they came from, and how fast pages are."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.http import UserRequest
from accounts.views.access import admins_only
from observability import ranges, traffic
from observability.dashboard.charts import charts, marks


@admins_only
@vary_on_headers("HX-Request")
@require_safe
def manage_traffic(request: UserRequest) -> HttpResponse:
    """Views and Web Vitals in a range; an htmx request gets what changes by the second."""
    shown = ranges.asked(request.GET)
    context = {
        "range": shown,
        "traffic": traffic.read(shown),
        "charts": charts(traffic.PANELS, shown),
        "marks": marks(shown),
    }
    template = "observability/_traffic.html" if request.htmx else "observability/traffic.html"
    return render(request, template, context)
