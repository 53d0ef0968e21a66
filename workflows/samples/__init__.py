"""The workflow that a new installation shows: three short tasks on the embedded model."""

import json
from pathlib import Path
from typing import Any

from accounts.models import Role, User
from hummbl.errors import Conflict
from workflows.models import Workflow

HELLO = Path(__file__).with_name("hello.json")


def ensure(owner: User) -> Workflow:
    """The owner's copy of the sample workflow, made now if there is none of its name."""
    document: dict[str, Any] = json.loads(HELLO.read_text())
    name, description = document.pop("name"), document.pop("description")
    found = Workflow.objects.select_related("owner").filter(owner=owner, name=name).first()
    return found or Workflow.create_with(
        owner=owner, name=name, definition=document, description=description
    )


def ensure_for_admin() -> Workflow:
    """The first admin's copy. Raises Conflict while there is no admin."""
    owner = User.objects.filter(role=Role.ADMIN, is_active=True).order_by("created_at").first()
    if owner is None:
        raise Conflict("There is no admin yet. Run: manage.py createadmin", code="no_admin")
    return ensure(owner)
