"""The audit log on a page, and as a file: who did what, for administrators."""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import urlencode
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.audit.export import export
from accounts.audit.log import BY_TIME, GROUPS, AuditFilter, actions_of, links_of
from accounts.http import UserRequest
from accounts.models import AuditEntry
from accounts.views.access import admins_only
from hummbl.lists import MAX_SEARCH, list_page, sliced

# Instead of one action: all of its group.
_WHOLE_GROUP: Final = ".*"


def _choices() -> list[tuple[str, Any]]:
    groups = [
        (label, [(f"{group}{_WHOLE_GROUP}", f"All of: {label}"), *_labelled(group)])
        for group, label in GROUPS.items()
    ]
    return [("", "Any action"), *groups]


def _labelled(group: str) -> list[tuple[str, str]]:
    return [(action.value, action.label) for action in actions_of(group)]


class AuditForm(forms.Form):
    """What the address asks for. A part that makes no sense is left out, not refused.

    Days begin and end at midnight in UTC.
    """

    actor = forms.CharField(required=False, max_length=MAX_SEARCH)
    action = forms.ChoiceField(required=False, choices=_choices)
    object = forms.CharField(required=False, max_length=MAX_SEARCH)
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)

    def asked(self) -> AuditFilter:
        """The filter."""
        self.full_clean()
        given = self.cleaned_data
        since, until = given.get("since"), given.get("until")
        # The last day of the calendar has no day after it, and leaves nothing out.
        after = until + timedelta(days=1) if until and until < date.max else None
        return AuditFilter(
            actor=given.get("actor", ""),
            actions=_actions(given.get("action", "")),
            object=given.get("object", ""),
            start=since and _midnight(since),
            end=after and _midnight(after),
        )

    @property
    def query(self) -> str:
        """What was asked for, as an address says it."""
        return urlencode({name: self[name].value() for name in self.fields if self[name].value()})


def _actions(chosen: str) -> tuple[str, ...]:
    if chosen.endswith(_WHOLE_GROUP):
        return tuple(actions_of(chosen.removesuffix(_WHOLE_GROUP)))
    return (chosen,) if chosen else ()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


@dataclass(frozen=True, slots=True)
class Row:
    """An entry, the page of its object, and its details in words."""

    entry: AuditEntry
    url: str
    details: list[tuple[str, str]]

    @property
    def is_about_another(self) -> bool:
        """Whether there is an object to name beside who did it."""
        entry = self.entry
        return bool(entry.object_label) and (
            not entry.actor_id or entry.object_id != entry.actor_id
        )


@admins_only
@vary_on_headers("HX-Request")
@require_safe
def manage_audit(request: UserRequest) -> HttpResponse:
    """The log, newest first, by what the address asks for; htmx gets the table alone."""
    form = AuditForm(request.GET)
    wanted = form.asked()
    page = sliced(wanted.entries(), request.GET.get("cursor", ""), BY_TIME)
    links = links_of(page.rows)
    context = {
        "slice": page,
        "rows": [_row(entry, links) for entry in page.rows],
        "filtered": wanted != AuditFilter(),
        "form": form,
        "days": settings.RETENTION_AUDIT,
    }
    return list_page(request, "accounts/manage_audit.html", "accounts/_manage_audit.html", context)


@admins_only
@require_safe
def manage_audit_csv(request: UserRequest) -> HttpResponseBase:
    """All that the page's filters let through, as a file."""
    return export(request, AuditForm(request.GET).asked(), by=request.user)


def _row(entry: AuditEntry, links: dict[uuid.UUID, str]) -> Row:
    url = links.get(entry.object_id, "") if entry.object_id else ""
    # PostgreSQL does not keep the order of the keys.
    details = [(_words(name), _said(value)) for name, value in sorted(entry.data.items())]
    return Row(entry, url, details)


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _said(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_said(item) for item in value) or "–"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return str(value)
