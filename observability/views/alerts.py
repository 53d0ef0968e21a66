"""The administrators' pages of alerts: what fires, what is watched, and when nobody is told."""

import uuid
from datetime import timedelta
from typing import Final

from django.contrib import messages
from django.db.models import Max
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from accounts.http import UserRequest
from accounts.views.access import admins_only
from accounts.views.forms import FORM_METHODS, focus_where_it_failed, refuse, status_of
from hummbl.errors import AppError
from hummbl.lists import list_page, sliced
from observability import ranges
from observability.alert_forms import AlertFilterForm, SilenceForm
from observability.dashboard import links
from observability.dashboard.panels import showing
from observability.models import Alert, AlertRule, NotificationChannel, Silence

# What led to an alert was there before it.
BEFORE: Final = timedelta(minutes=30)


@admins_only
@vary_on_headers("HX-Request")
@require_http_methods(FORM_METHODS)
def manage_alerts(request: UserRequest) -> HttpResponse:
    """Rules and alerts, and the form of silences; an htmx request gets the history alone."""
    silence_form = SilenceForm(_posted(request))
    if _silenced(request, silence_form):
        return redirect("manage_alerts")
    form = AlertFilterForm(request.GET)
    asked = form.asked()
    page = sliced(Alert.objects.find(**asked), request.GET.get("cursor", ""))
    context = {
        "slice": page,
        "rows": page.rows,
        "filtered": any(asked.values()),
        "form": form,
    }
    if not request.htmx:
        rules = list(AlertRule.objects.with_state())
        silences = (
            Silence.objects.not_over().select_related("rule", "created_by").order_by("starts_at")
        )
        current = [silence for silence in silences if silence.has_begun]
        silent = {silence.rule_id for silence in current}
        context |= {
            "rules": rules,
            "active": sum(rule.is_active for rule in rules),
            "open_alerts": Alert.objects.open().order_by("state", "-started_at"),
            "looked_at": AlertRule.objects.active().aggregate(at=Max("evaluated_at"))["at"],
            "silences": current,
            "planned_silences": [silence for silence in silences if not silence.has_begun],
            "silent_rules": silent,
            "all_silent": None in silent,
            "silence_form": silence_form,
            "has_channels": NotificationChannel.objects.active().exists(),
        }
    page_name = "observability/manage_alerts.html"
    response = list_page(request, page_name, "observability/_manage_alerts.html", context)
    response.status_code = status_of(silence_form)
    return response


@admins_only
@require_http_methods(FORM_METHODS)
def manage_alert(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """One alert, what was told of it, and the form that silences its rule."""
    alert = get_object_or_404(Alert.objects.select_related("rule"), pk=pk)
    silence_form = SilenceForm(_posted(request), initial={"rule": alert.rule})
    if _silenced(request, silence_form):
        return redirect("manage_alert", pk)
    context = {
        "alert": alert,
        "links": _links(alert),
        "deliveries": alert.deliveries.order_by("created_at", "id")[:100],
        "silence_form": silence_form,
        "is_silent": alert.rule and Silence.objects.current().of(alert.rule).exists(),
    }
    page_name = "observability/manage_alert.html"
    return render(request, page_name, context, status=status_of(silence_form))


def _links(alert: Alert) -> list[tuple[str, str]]:
    """Where to look: the chart of what the rule watches, and the lists of what happened then."""
    shown = showing(alert.rule.watched_metric) if alert.rule else None
    if shown is None:
        return []
    tab, panel = shown
    start = alert.started_at - BEFORE
    end = (alert.resolved_at or timezone.now()) + timedelta(minutes=1)
    chart = f"{reverse('manage_metrics')}?{ranges.between(start, end)}&tab={tab.slug}"
    lists = [
        (link.label, link.between(f"{start:%Y-%m-%dT%H:%M}", f"{end:%Y-%m-%dT%H:%M}"))
        for link in links.of(panel.topic)
    ]
    return [("Chart", chart), *lists]


def _posted(request: UserRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _silenced(request: UserRequest, form: SilenceForm) -> bool:
    """Whether nobody is told for a while from now on; of what is refused, the form says why."""
    if form.is_valid():
        try:
            silence = form.save(request.user)
        except AppError as error:
            refuse(form, error)
        else:
            of = f"“{silence.rule.name}”" if silence.rule else "any rule"
            messages.success(request, f"Nobody is told of {of} for now.")
            return True
    if form.errors:
        focus_where_it_failed(form)
    return False


@admins_only
@require_POST
def manage_silence_end(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Tell people again."""
    get_object_or_404(Silence, pk=pk).end(by=request.user)
    messages.success(request, "The silence is over.")
    return redirect("manage_alerts")
