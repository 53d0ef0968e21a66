"""Which runs a list shows: one filter for the page and the API."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from workflows.models import Execution, Workflow
from workflows.models.execution import ExecutionQuerySet
from workflows.models.states import UNDER_WAY

# Runs that take longer are not looked for: a list must not read all that is older than a spike.
LONGEST = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """What is left empty does not narrow the list.

    `created_after` is inclusive, `created_before` exclusive. `during` is a time, from and until:
    runs that existed and had not ended at some moment of it, made a week before it at most;
    without an end, until now. `q` is part of the workflow's name or of the error; in double quotes
    it is the whole name.
    """

    statuses: Collection[str] = ()
    workflow_id: uuid.UUID | None = None
    trigger: str = ""
    created_after: datetime | None = None
    created_before: datetime | None = None
    during: tuple[datetime, datetime | None] | None = None
    q: str = ""

    def of(self, runs: ExecutionQuerySet) -> ExecutionQuerySet:
        """Those of the runs that pass."""
        if self.statuses:
            runs = runs.filter(status__in=self.statuses)
        if self.statuses and set(self.statuses) <= set(UNDER_WAY):
            # Both say nothing new, but let an index answer: the first for one user's runs, the
            # second for everyone's.
            moving = Execution.objects.under_way().order_by().values("pk")
            runs = runs.under_way().filter(pk__in=moving)
        if self.workflow_id:
            runs = runs.filter(workflow=self.workflow_id)
        if self.trigger:
            runs = runs.filter(trigger=self.trigger)
        if self.created_after:
            runs = runs.filter(created_at__gte=self.created_after)
        if self.created_before:
            runs = runs.filter(created_at__lt=self.created_before)
        if self.during:
            runs = _under_way(runs, *self.during)
        return runs.filter(_about(self.q)) if self.q else runs


def _under_way(runs: ExecutionQuerySet, start: datetime, end: datetime | None) -> ExecutionQuerySet:
    runs = runs.filter(Q(completed_at__isnull=True) | Q(completed_at__gte=start))
    runs = runs.filter(created_at__gte=start - LONGEST)
    return runs.filter(created_at__lt=end) if end else runs


def _about(text: str) -> Q:
    name = text.removeprefix('"').removesuffix('"')
    if len(text) - len(name) == 2 and name:
        return Q(workflow__in=Workflow.objects.filter(name=name))
    # A subquery is answered once; a join would compare the name with every run.
    named = Workflow.objects.filter(name__icontains=text)
    return Q(workflow__in=named) | Q(error__icontains=text)
