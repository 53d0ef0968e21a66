"""Writing the audit log: one line at the place where something was done."""

from typing import Any

from django.db import models

from accounts.models import Action, AuditEntry, User
from hummbl import client
from hummbl.scrubbing import scrub

LABEL_LENGTH = 254


def record(
    action: Action,
    *,
    actor: Any = None,
    obj: models.Model | None = None,
    label: str = "",
    **data: Any,
) -> AuditEntry:
    """Note that `actor` (a user; anything else is nobody) did `action` to `obj`.

    Call it in the transaction of what it notes: neither is then there without the other. The
    address is that of the request under way, if any. `label` overrides the object's own name;
    `data` goes through the scrubber and must be JSON.
    """
    known = isinstance(actor, User)
    return AuditEntry.objects.create(
        actor_id=actor.pk if known else None,
        actor_label=actor.email if known else "",
        action=action,
        object_type=obj._meta.model_name or "" if obj is not None else "",  # noqa: SLF001
        object_id=obj.pk if obj is not None else None,
        object_label=(label or (str(obj) if obj is not None else ""))[:LABEL_LENGTH],
        data=scrub(data),
        ip=client.current_address(),
    )
