"""Which workers are alive: what health and the operator look at."""

from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from hummbl.models import BaseModel

HEARTBEAT_SECONDS = 5.0
SILENT_AFTER = timedelta(seconds=20)


class WorkerQuerySet(models.QuerySet["Worker"]):
    """Workers by their last sign of life."""

    def alive(self) -> Self:
        """Heard of within the last 20 seconds, by the database's clock.

        Who died while that clock was far ahead does not live on until that time comes again.
        """
        return self.filter(seen_at__gt=Now() - SILENT_AFTER, seen_at__lt=Now() + SILENT_AFTER)

    def long_silent(self) -> Self:
        """Not heard of for a day: they died without deleting their rows."""
        day = timedelta(days=1)
        return self.filter(Q(seen_at__lt=Now() - day) | Q(seen_at__gt=Now() + day))


class Worker(BaseModel):
    """A worker process: it writes `seen_at` every five seconds and deletes its row at the end."""

    name = models.CharField(max_length=64, unique=True)
    version = models.CharField(max_length=20)
    executions = models.PositiveIntegerField(default=0, help_text="Under way at the last sign.")
    seen_at = models.DateTimeField(db_index=True)

    objects = WorkerQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
