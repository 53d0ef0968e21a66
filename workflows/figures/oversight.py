"""What an administrator asks of everybody's work: the same for the pages and the API."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db.models import Count, Max, Q, Sum
from django.utils import timezone

from workflows.models import Execution

SPEND_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class Activity:
    """A workflow's runs: how many there are, when the last began, the cost of those of 30 days.

    In US dollars, by the day that the run was started.
    """

    executions: int = 0
    last_run_at: datetime | None = None
    spend: Decimal = Decimal(0)


def activity_of(workflows: Collection[uuid.UUID]) -> dict[uuid.UUID, Activity]:
    """The activity of each of a page of workflows; one query."""
    recent = Q(created_at__gte=timezone.now() - timedelta(days=SPEND_DAYS))
    rows = Execution.objects.filter(workflow__in=workflows).order_by().values_list("workflow")
    sums = rows.annotate(Count("pk"), Max("created_at"), spend=Sum("cost", filter=recent))
    found = {pk: Activity(count, last, Decimal(cost or 0)) for pk, count, last, cost in sums}
    return {pk: found.get(pk, Activity()) for pk in workflows}


def is_person(column: str, text: str) -> Q:
    """Whether `column`, a key to a user, is the user of that id or with that in the address."""
    try:
        return Q(**{column: uuid.UUID(text)})
    except ValueError:
        return Q(**{f"{column}__email__icontains": text})
