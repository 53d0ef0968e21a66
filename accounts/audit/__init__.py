"""Writing the audit log: one line at the place where something was done."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from django.db import models

from accounts.models import Action, AuditEntry, User
from hummbl import client
from hummbl.scrubbing import scrub

LABEL_LENGTH: Final = 254
COMMAND_LINE: Final = "command line"

_at_command_line: ContextVar[bool] = ContextVar("at_command_line", default=False)


@contextmanager
def command_line() -> Iterator[None]:
    """What is done meanwhile was done by whoever has a shell here, and by no user."""
    token = _at_command_line.set(True)
    try:
        yield
    finally:
        _at_command_line.reset(token)


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
    in_command = _at_command_line.get()
    known = isinstance(actor, User) and not in_command
    return AuditEntry.objects.create(
        actor_id=actor.pk if known else None,
        actor_label=COMMAND_LINE if in_command else actor.email if known else "",
        action=action,
        object_type=obj._meta.model_name or "" if obj is not None else "",  # noqa: SLF001
        object_id=obj.pk if obj is not None else None,
        object_label=(label or (str(obj) if obj is not None else ""))[:LABEL_LENGTH],
        data=scrub(data),
        ip=client.current_address(),
    )
