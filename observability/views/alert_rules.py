"""The administrators' pages of one alert rule."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from accounts.http import UserRequest
from accounts.views.access import admins_only
from accounts.views.forms import FORM_METHODS, form_page, refuse
from hummbl.errors import AppError
from observability.alert_forms import RuleForm
from observability.models import AlertRule

PAGE = "observability/manage_rule.html"


@admins_only
@require_http_methods(FORM_METHODS)
def manage_rule_create(request: UserRequest) -> HttpResponse:
    """A new rule."""
    form = RuleForm(request.POST or None)
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            rule = AlertRule.create(by=request.user, **form.values())
        except AppError as error:
            refusal = refuse(form, error)
        else:
            messages.success(request, f"“{rule.name}” is watched from now on.")
            return redirect("manage_alerts")
    return form_page(request, PAGE, form, refusal)


@admins_only
@require_http_methods(FORM_METHODS)
def manage_rule(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """A rule, to be changed."""
    rules = AlertRule.objects.with_state().prefetch_related("channels")
    rule = get_object_or_404(rules, pk=pk)
    name = rule.name
    form = RuleForm(request.POST or None, rule=rule)
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            rule.change(by=request.user, **form.values())
        except AppError as error:
            refusal = refuse(form, error)
        else:
            messages.success(request, f"“{rule.name}” was changed.")
            return redirect("manage_alerts")
    return form_page(request, PAGE, form, refusal, rule=rule, rule_name=name)


@admins_only
@require_POST
def manage_rule_delete(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Delete a rule for good."""
    rule = get_object_or_404(AlertRule, pk=pk)
    rule.delete(by=request.user)
    messages.success(request, f"“{rule.name}” was deleted.")
    return redirect("manage_alerts")
