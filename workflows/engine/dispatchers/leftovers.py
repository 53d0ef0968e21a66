"""What is left over in Procrastinate's tables: nothing there is kept for good.

A job is deleted when it is over. Left over are those that a worker had when it was killed, those of
a task that failed or that somebody cancelled by Procrastinate's own commands, and, once another
dispatcher is in use, those of executions that ended without them.
"""

from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Cast, Now

from hummbl import retention
from hummbl.retention import Deleted, Rule

APP = "procrastinate"
# Procrastinate's workers give a sign of life every ten seconds.
DEAD_AFTER = timedelta(minutes=5)
ROWS_PER_JOB = 5  # with its own history


def register() -> None:
    """Have it deleted hourly. Where there is no PostgreSQL there is nothing to do."""
    if not apps.is_installed("procrastinate.contrib.django"):
        return
    minutes = f"{DEAD_AFTER.seconds // 60} minutes"
    retention.register(
        Rule(
            "jobs left over",
            lambda: "of executions that ended and of workers that died",
            lambda: _jobs().count(),
            _delete_jobs,
        )
    )
    retention.register_rows("job workers", lambda: f"silent for {minutes}", _dead_workers)


def _jobs() -> QuerySet[Any]:
    """Those whose worker is dead, that did not end well, or whose execution is over."""
    from workflows.models import Execution

    execution = Execution.objects.under_way().filter(
        pk=Cast(OuterRef("queueing_lock"), models.UUIDField())
    )
    dead = Q(worker=None) | Q(worker__last_heartbeat__lt=Now() - DEAD_AFTER)
    waiting, taken = Q(status="todo"), Q(status="doing")
    jobs: QuerySet[Any] = apps.get_model(APP, "ProcrastinateJob").objects.filter(
        queueing_lock__isnull=False
    )
    return jobs.filter((waiting & ~Exists(execution)) | (taken & dead) | ~(waiting | taken))


def _delete_jobs(limit: int) -> Deleted:
    limit = max(1, limit // ROWS_PER_JOB)
    keys = list(_jobs().values_list("pk", flat=True)[:limit])
    # Asked again: one may have been taken meanwhile.
    rows, _ = _jobs().filter(pk__in=keys).delete()
    return Deleted(rows, len(keys) == limit)


def _dead_workers() -> QuerySet[Any]:
    workers: QuerySet[Any] = apps.get_model(APP, "ProcrastinateWorker").objects.filter(
        last_heartbeat__lt=Now() - DEAD_AFTER
    )
    return workers
