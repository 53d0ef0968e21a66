"""The list of workflows."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import DateTimeField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Lower
from django.http import HttpResponse
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.http import UserRequest
from accounts.models import User
from accounts.views.access import signed_in
from hummbl.lists import MAX_SEARCH, Slice, list_page, sliced
from hummbl.paging import NEWEST, Order
from workflows.access import may_edit
from workflows.figures.dashboard import DAYS, Scope, cost_by_workflow
from workflows.models import Execution, Workflow, WorkflowStatus

RUN_DOTS = 6

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_SORTS = [("", "Newest first"), ("name", "Name"), ("run", "Last run first")]
_ORDERS = {
    "name": Order("name_key", descending=False, is_text=True),
    "run": Order("last_run"),
}


class WorkflowFilterForm(forms.Form):
    """What the address asks for. A part that makes no sense is left out, not refused."""

    q = forms.CharField(required=False, max_length=MAX_SEARCH)
    status = forms.ChoiceField(
        required=False, choices=[("", "Any status"), *WorkflowStatus.choices]
    )
    owner = forms.ChoiceField(
        required=False, choices=[("", "All owners"), ("me", "Mine"), ("others", "Other people’s")]
    )
    sort = forms.ChoiceField(required=False, choices=_SORTS)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user
        self.full_clean()

    @property
    def order(self) -> Order:
        """What the list is sorted by."""
        return _ORDERS.get(self.cleaned_data.get("sort", ""), NEWEST)

    @property
    def narrows(self) -> bool:
        """Whether any workflow may be left out."""
        return any(self.cleaned_data.get(name) for name in ("q", "status", "owner"))

    def workflows(self) -> QuerySet[Workflow]:
        """What the user may see of what is asked for, with what the list is sorted by."""
        given = self.cleaned_data
        found = Workflow.objects.visible_to(self._user).select_related("owner")
        if given.get("q"):
            found = found.matching(given["q"])
        if given.get("status"):
            found = found.filter(status=given["status"])
        if given.get("owner") == "me":
            found = found.filter(owner=self._user)
        elif given.get("owner") == "others":
            found = found.exclude(owner=self._user)
        if self.order is _ORDERS["name"]:
            return found.annotate(name_key=Lower("name"))
        if self.order is _ORDERS["run"]:
            newest = _runs_of_each(self._user).values("created_at")[:1]
            never = Value(_NEVER, output_field=DateTimeField())
            return found.annotate(last_run=Coalesce(Subquery(newest), never))
        return found


@signed_in
@vary_on_headers("HX-Request")
@require_safe
def workflow_list(request: UserRequest) -> HttpResponse:
    """Workflows by what the address asks for; an htmx request gets the table alone."""
    user = request.user
    form = WorkflowFilterForm(request.GET, user=user)
    page = sliced(form.workflows(), request.GET.get("cursor", ""), form.order)
    context = {
        "slice": page,
        "rows": _rows(page, user),
        "spend_days": DAYS,
        "filtered": form.narrows,
        "form": form,
    }
    return list_page(
        request, "workflows/workflow_list.html", "workflows/_workflow_table.html", context
    )


@dataclass(frozen=True, slots=True)
class Row:
    """A workflow as the list shows it: with the runs that the user may see."""

    workflow: Workflow
    may_edit: bool
    last_run_id: uuid.UUID | None
    last_run_at: datetime | None
    dots: list[str]  # the states of the last runs, the newest last
    spend: Decimal


def _rows(page: Slice[Workflow], user: User) -> list[Row]:
    """The rows of a page, in a few queries more."""
    runs = _last_runs([workflow.pk for workflow in page.rows], user)
    spend = cost_by_workflow(Scope(user, everyone=user.is_admin))
    return [
        Row(
            workflow,
            may_edit(user, workflow),
            runs[workflow.pk]["last_id"],
            runs[workflow.pk]["last_at"],
            [state for n in reversed(range(RUN_DOTS)) if (state := runs[workflow.pk][f"run_{n}"])],
            spend.get(workflow.pk, Decimal(0)),
        )
        for workflow in page.rows
        if workflow.pk in runs  # else it was deleted at this very moment
    ]


def _runs_of_each(user: User) -> QuerySet[Execution]:
    """For a subquery: the runs of the outer workflow that the user may see, the newest first."""
    runs = Execution.objects.visible_to(user).filter(workflow=OuterRef("pk"))
    return runs.order_by("-created_at")


def _last_runs(ids: Iterable[uuid.UUID], user: User) -> dict[uuid.UUID, Mapping[str, Any]]:
    runs = _runs_of_each(user)
    states = {f"run_{n}": Subquery(runs.values("status")[n : n + 1]) for n in range(RUN_DOTS)}
    found = Workflow.objects.filter(pk__in=ids).values(
        "pk",
        last_id=Subquery(runs.values("pk")[:1]),
        last_at=Subquery(runs.values("created_at")[:1]),
        **states,
    )
    return {row["pk"]: row for row in found}
