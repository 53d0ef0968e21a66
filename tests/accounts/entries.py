"""Entries of the audit log for tests that read it."""

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Action, AuditEntry


def make_entry(action=Action.SIGNED_IN, *, actor=None, obj=None, ago=0, **fields):
    """An entry from `ago` minutes ago."""
    values = {
        "actor_id": actor and actor.pk,
        "actor_label": actor.email if actor else "",
        "object_type": obj._meta.model_name if obj else "",
        "object_id": obj and obj.pk,
        "object_label": str(obj) if obj else "",
        "at": timezone.now() - timedelta(minutes=ago),
        **fields,
    }
    return AuditEntry.objects.create(action=action, **values)


def recorded(**filters):
    """What stands in the log: action, actor, object and data of each entry, the oldest first."""
    entries = AuditEntry.objects.filter(**filters).order_by("at", "id")
    return [(e.action, e.actor_label, e.object_label, e.data) for e in entries]


def actions(**filters):
    """The actions that stand in the log, the oldest first."""
    return [action for action, *_ in recorded(**filters)]


def forget():
    """Empty the log, which the product itself cannot do."""
    QuerySet.delete(AuditEntry.objects.all())
