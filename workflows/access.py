"""Who may change and run what: one rule for pages, API and commands.

Asked after the object is found, so that another's stays a 404.
"""

from typing import TYPE_CHECKING

from accounts.models import User
from hummbl.errors import Forbidden, ReadOnlyRole

if TYPE_CHECKING:
    from workflows.models import Workflow


def require_writer(user: User) -> None:
    """Raise ReadOnlyRole for a viewer."""
    if not user.can_write:
        raise ReadOnlyRole


def may_edit(user: User, workflow: "Workflow") -> bool:
    """Whether the user may change and run the workflow: an admin all, others their own."""
    return user.is_admin or (user.can_write and workflow.owner_id == user.pk)


def require_editor(user: User, workflow: "Workflow") -> None:
    """Raise Forbidden unless the user may change and run the workflow."""
    require_writer(user)
    if not may_edit(user, workflow):
        raise Forbidden("Only its owner changes or runs a workflow. Make your own to work on it.")
