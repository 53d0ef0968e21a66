"""Which workers are alive: what health and the operator look at."""

from datetime import timedelta
from typing import Any, Self

from django.db import models
from django.db.models.functions import Now

from hummbl.models import BaseModel

HEARTBEAT_SECONDS = 5.0
SILENT_AFTER = timedelta(seconds=20)


class WorkerQuerySet(models.QuerySet["Worker"]):
    """Workers by their last sign of life."""

    def alive(self) -> Self:
        """Heard of within the last 20 seconds, by the database's clock."""
        return self.filter(seen_at__gt=Now() - SILENT_AFTER)


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

    @classmethod
    def forget_silent(cls) -> None:
        """Delete the rows of workers that died a day ago or earlier."""
        cls.objects.filter(seen_at__lt=Now() - timedelta(days=1)).delete()

    @classmethod
    def health(cls) -> dict[str, Any]:
        """What `/api/health` says of the workers."""
        alive = list(cls.objects.alive().values_list("executions", flat=True))
        return {
            "status": "healthy" if alive else "missing",
            "alive": len(alive),
            "executions": sum(alive),
        }
