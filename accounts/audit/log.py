"""Reading the audit log: the same filters for the page, the API and the file."""

import ipaddress
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Model, Q, QuerySet
from django.urls import NoReverseMatch, reverse

from accounts.models import Action, AuditEntry, User
from hummbl.paging import Order

BY_TIME: Final = Order("at")
# A part of an address that fits more people than this names nobody.
MOST_PEOPLE: Final = 100

# The parts that actions are named in, by the word before the point.
GROUPS: Final = {
    "user": "Accounts",
    "session": "Sessions",
    "token": "Access tokens",
    "key": "Provider keys",
    "workflow": "Workflows",
    "execution": "Executions",
    "error": "Errors",
    "alert_rule": "Alert rules",
    "alert_silence": "Silences",
    "channel": "Notification channels",
    "audit": "Audit log",
    "admin": "Django admin",
}


def actions_of(group: str) -> list[Action]:
    """The actions of a group."""
    return [action for action in Action if action.value.startswith(f"{group}.")]


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are wanted. What is empty leaves nothing out.

    `actor` and `object` are an id, or a part of the e-mail address and of the object's name.
    """

    actor: str = ""
    actions: tuple[str, ...] = ()
    object: str = ""
    start: datetime | None = None
    end: datetime | None = None
    search: str = ""

    def entries(self) -> QuerySet[AuditEntry]:
        """The entries, from `start` on and before `end`."""
        found = AuditEntry.objects.all()
        if self.actions:
            found = found.filter(action__in=self.actions)
        if self.start:
            found = found.filter(at__gte=self.start)
        if self.end:
            found = found.filter(at__lt=self.end)
        if self.actor:
            found = found.filter(_by(self.actor))
        if self.object:
            found = found.filter(_is("object", self.object))
        if self.search:
            found = found.filter(_mentions(self.search))
        return found

    def as_data(self) -> dict[str, Any]:
        """What was asked for, as JSON."""
        given = {
            "actor": self.actor,
            "actions": list(self.actions),
            "object": self.object,
            "start": self.start and self.start.isoformat(),
            "end": self.end and self.end.isoformat(),
            "search": self.search,
        }
        return {name: value for name, value in given.items() if value}


def _is(column: str, text: str) -> Q:
    try:
        return Q(**{f"{column}_id": uuid.UUID(text)})
    except ValueError:
        return Q(**{f"{column}_label__icontains": text})


def _by(text: str) -> Q:
    """Users by their address of today, whose ids an index finds; else by the one of back then."""
    people = User.objects.filter(email__icontains=text).order_by().values_list("pk", flat=True)
    found = list(people[: MOST_PEOPLE + 1])
    if 0 < len(found) <= MOST_PEOPLE:
        return Q(actor_id__in=found)
    return _is("actor", text)


def _mentions(text: str) -> Q:
    found = Q(actor_label__icontains=text) | Q(object_label__icontains=text)
    try:
        return found | Q(ip=str(ipaddress.ip_address(text)))
    except ValueError:
        return found


_pages: dict[str, tuple[type[Model], str]] = {}


def register_page(model: type[Model], route: str) -> None:
    """Entries about these objects lead to that page, whose address has the primary key."""
    _pages[model._meta.model_name or ""] = (model, route)  # noqa: SLF001 - a public name


def links_of(entries: Iterable[AuditEntry]) -> dict[uuid.UUID, str]:
    """The pages of the objects that are still there, by id; one query for each kind of them."""
    wanted: dict[str, set[uuid.UUID]] = {}
    for entry in entries:
        if entry.object_id and entry.object_type in _pages:
            wanted.setdefault(entry.object_type, set()).add(entry.object_id)
    links: dict[uuid.UUID, str] = {}
    for kind, ids in wanted.items():
        links |= pages_of(kind, ids)
    return links


def pages_of(kind: str, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The pages of objects of a kind, such as `execution`, that are still there; one query."""
    if kind not in _pages:
        return {}
    model, route = _pages[kind]
    rows = model._default_manager.filter(pk__in=set(ids)).order_by()  # noqa: SLF001
    links = {pk: _address(route, pk) for pk in rows.values_list("pk", flat=True)}
    return {pk: url for pk, url in links.items() if url}


def _address(route: str, pk: uuid.UUID) -> str:
    try:
        return reverse(route, args=[pk])
    except NoReverseMatch:
        return ""
