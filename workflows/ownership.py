"""What a user owns here: shown to administrators, and deleted with the user."""

from typing import Any, Final

from django.urls import reverse

from accounts.errors import UserHasHistory
from accounts.holdings import Holding
from accounts.models import User
from workflows.models import ApiKey, Execution, Workflow


def _address(name: str, column: str, user: User) -> str:
    return f"{reverse(name)}?{column}={user.pk}"


HOLDINGS: Final = {
    "workflows": Holding(
        "Workflows",
        lambda user: Workflow.objects.filter(owner=user).count(),
        lambda user: _address("manage_workflows", "owner", user),
    ),
    "executions": Holding(
        "Executions",
        lambda user: Execution.objects.filter(user=user).count(),
        lambda user: _address("manage_executions", "user", user),
    ),
    "keys": Holding(
        "Provider keys",
        lambda user: ApiKey.objects.filter(user=user).count(),
        lambda user: reverse("key_list"),
    ),
}


def delete_workflows(user: User, by: Any) -> None:
    """Delete the workflows by the rule of their own, before `by` deletes their owner.

    Raises UserHasHistory when the user has started runs, and Conflict while somebody's run of one
    of the workflows is under way.
    """
    if Execution.objects.filter(user=user).exists():
        raise UserHasHistory
    for workflow in Workflow.objects.filter(owner=user):
        workflow.delete(by=by)
