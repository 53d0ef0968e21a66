"""What broke, on pages for administrators: groups of errors, and one of them with its reports."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.audit.log import pages_of
from accounts.http import UserRequest
from accounts.models import User
from accounts.views.access import admins_only
from hummbl.errors import Conflict
from hummbl.lists import MAX_SEARCH, list_page, sliced
from hummbl.paging import Order
from observability import ranges
from observability.errors import trend
from observability.errors.filters import LATEST, ORDERS, ErrorFilter
from observability.models import ErrorGroup, ErrorReport, ErrorSource, ErrorStatus
from observability.models.severity import Severity

ANY: Final = "any"
REPORTS_SHOWN: Final = 10
_SORTS: Final = [
    ("", "Latest first"),
    ("first_seen", "Newest first"),
    ("count", "Most often first"),
    ("users", "Most users first"),
]


class ErrorForm(forms.Form):
    """What the address asks for. A part that makes no sense is left out, not refused."""

    q = forms.CharField(required=False, max_length=MAX_SEARCH)
    status = forms.ChoiceField(
        required=False,
        choices=[("", "Open"), ("resolved", "Resolved"), ("ignored", "Ignored"), (ANY, "All")],
    )
    severity = forms.ChoiceField(required=False, choices=[("", "Any severity"), *Severity.choices])
    source = forms.ChoiceField(required=False, choices=[("", "Any source"), *ErrorSource.choices])
    sort = forms.ChoiceField(required=False, choices=_SORTS)
    # Two moments in ISO 8601 with a slash between them: where a chart leads.
    between = forms.CharField(required=False, max_length=80)

    def asked(self) -> ErrorFilter:
        """The filter: what is open, unless told otherwise."""
        self.full_clean()
        given = self.cleaned_data
        status = given.get("status") or ErrorStatus.OPEN.value
        since, _, until = given.get("between", "").partition("/")
        return ErrorFilter(
            status="" if status == ANY else status,
            severity=given.get("severity", ""),
            source=given.get("source", ""),
            search=given.get("q", ""),
            since=ranges.moment(since),
            until=ranges.moment(until),
        )

    @property
    def order(self) -> Order:
        """What they are sorted by."""
        return ORDERS[self.cleaned_data.get("sort") or LATEST]


@admins_only
@vary_on_headers("HX-Request")
@require_safe
def manage_errors(request: UserRequest) -> HttpResponse:
    """Groups of errors by what the address asks for; htmx gets the table alone."""
    form = ErrorForm(request.GET)
    wanted = form.asked()
    page = sliced(wanted.groups(), request.GET.get("cursor", ""), form.order)
    trends = trend.of_all(page.rows)
    context = {
        "slice": page,
        "rows": [(group, trends[group.pk]) for group in page.rows],
        "filtered": wanted != ErrorFilter(status=ErrorStatus.OPEN),
        "form": form,
        "asked": wanted,
        "any_yet": bool(page.rows) or ErrorGroup.objects.exists(),
    }
    return list_page(request, "observability/errors.html", "observability/_errors.html", context)


@dataclass(frozen=True, slots=True)
class Shown:
    """A report with the pages that it leads to; empty where there is none, or none any more."""

    report: ErrorReport
    user: User | None
    user_url: str
    execution_url: str

    @property
    def details(self) -> list[tuple[str, Any]]:
        """The rest of its context, in words."""
        context = self.report.context
        return [
            (name.removesuffix("_id").replace("_", " ").capitalize(), context[name])
            for name in sorted(context)
        ]


@admins_only
@never_cache
@require_safe
def manage_error(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """One group: what it is, why it is one, and the report that `?report=` names, or the latest."""
    group = get_object_or_404(ErrorGroup, pk=pk)
    reports = list(group.reports.defer("stack")[:REPORTS_SHOWN])
    context = {
        "group": group,
        "trend": trend.of(group),
        "reports": reports,
        "shown": _shown(group, request.GET.get("report", "")),
        "release": settings.RELEASE,
        "days": settings.RETENTION_ERRORS,
    }
    return render(request, "observability/error.html", context)


@admins_only
@require_POST
def manage_error_resolve(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Resolve it; `next` says that only the release after this one has to hold."""
    in_next = request.POST.get("next") == "true"
    said = "Resolved. If it happens again, it is open again."
    if in_next:
        said = f"Resolved in the release after {settings.RELEASE}."
    return _change(
        request, pk, lambda group: group.resolve(by=request.user, in_next_release=in_next), said
    )


@admins_only
@require_POST
def manage_error_ignore(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Ignore it."""
    said = "Ignored. It is counted further, and stays out of the list of what is open."
    return _change(request, pk, lambda group: group.ignore(by=request.user), said)


@admins_only
@require_POST
def manage_error_reopen(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Open it again."""
    return _change(request, pk, lambda group: group.reopen(by=request.user), "Open again.")


def _change(
    request: UserRequest, pk: uuid.UUID, change: Callable[[ErrorGroup], None], said: str
) -> HttpResponse:
    group = get_object_or_404(ErrorGroup, pk=pk)
    try:
        change(group)
    except Conflict as error:
        # Somebody else was first, and what was wanted is so.
        messages.info(request, error.message)
    else:
        messages.success(request, said)
    return redirect("manage_error", pk)


def _shown(group: ErrorGroup, asked: str) -> Shown | None:
    report = _chosen(group, asked) or group.reports.first()
    if report is None:
        return None
    user = User.objects.filter(pk=report.user_id).first() if report.user_id else None
    users = pages_of("user", [user.pk]) if user else {}
    runs = pages_of("execution", [report.execution_id]) if report.execution_id else {}
    return Shown(
        report=report,
        user=user,
        user_url=next(iter(users.values()), ""),
        execution_url=next(iter(runs.values()), ""),
    )


def _chosen(group: ErrorGroup, asked: str) -> ErrorReport | None:
    try:
        return group.reports.filter(pk=uuid.UUID(asked)).first()
    except ValueError:
        return None
