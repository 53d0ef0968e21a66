"""The requests behind a spike: the slowest of each route and minute, and those that failed."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import Q
from django.http import HttpResponse
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.http import UserRequest
from accounts.models import User
from accounts.views.access import admins_only
from hummbl.lists import MAX_SEARCH, list_page, sliced
from hummbl.paging import Order
from observability import ranges
from observability.dashboard import links
from observability.models import RequestSample
from observability.models.request_sample import KEPT_FOR, RequestSampleQuerySet

_ORDERS = {"": Order("by_seconds", is_text=True), "newest": Order("at")}


class RequestForm(forms.Form):
    """What the address asks for. A part that makes no sense is left out, not refused."""

    q = forms.CharField(required=False, max_length=MAX_SEARCH)
    route = forms.CharField(required=False, max_length=MAX_SEARCH)
    failed = forms.BooleanField(required=False)
    order = forms.ChoiceField(
        required=False, choices=[("", "Slowest first"), ("newest", "Newest first")]
    )

    def samples(self) -> RequestSampleQuerySet:
        """The requests asked for, of any time."""
        self.full_clean()
        given = self.cleaned_data
        found = RequestSample.objects.all()
        if given.get("q"):
            found = found.filter(Q(path__icontains=given["q"]) | Q(request_id=given["q"]))
        if given.get("route"):
            found = found.filter(route=given["route"])
        return found.failed() if given.get("failed") else found

    @property
    def sorting(self) -> Order:
        """What they are sorted by."""
        return _ORDERS[self.cleaned_data.get("order", "")]

    @property
    def narrows(self) -> bool:
        """Whether any request may be left out."""
        return any(self.cleaned_data.get(name) for name in ("q", "route", "failed"))


@dataclass(frozen=True, slots=True)
class Row:
    """A request, and who made it, if they are still there."""

    sample: RequestSample
    user: User | None


@admins_only
@vary_on_headers("HX-Request")
@require_safe
def manage_requests(request: UserRequest) -> HttpResponse:
    """Samples of requests; an htmx request gets the table alone."""
    shown = ranges.asked(request.GET, keep=["q", "route", "failed", "order"])
    form = RequestForm(request.GET)
    samples = form.samples().between(shown.start, shown.end).with_sortable_seconds()
    page = sliced(samples, request.GET.get("cursor", ""), form.sorting)
    users = _users(sample.user_id for sample in page.rows)
    context = {
        "range": shown,
        "form": form,
        "filtered": form.narrows,
        "slice": page,
        "rows": [Row(sample, users.get(sample.user_id)) for sample in page.rows],
        "days": KEPT_FOR.days,
        "links": _links(shown),
        # The time stays when the filters go.
        "clear_query": ranges.asked(request.GET).query,
    }
    return list_page(
        request, "observability/requests.html", "observability/_requests.html", context
    )


def _users(ids: Iterable[uuid.UUID | None]) -> Mapping[Any, User]:
    return User.objects.in_bulk({pk for pk in ids if pk})


def _links(shown: ranges.Range) -> list[tuple[str, str]]:
    """What else happened in that time."""
    start, end = f"{shown.start:%Y-%m-%dT%H:%M}", f"{shown.end:%Y-%m-%dT%H:%M}"
    return [(link.label, link.between(start, end)) for link in links.but(links.REQUESTS)]
