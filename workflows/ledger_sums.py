"""The ledger in the long run: calls of executions that are gone become sums, which stay for good.

A sum is an entry like the calls that it stands for, so that what is asked of the ledger by day,
user, workflow or model is answered as before: its `at` is the day, `calls` says how many they were.
It belongs to no execution; its `execution_id` is made of what it sums up, which finds it again.
"""

import json
import uuid
from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db.models import Exists, F, OuterRef

from hummbl import retention
from hummbl.models import first_id
from hummbl.retention import Deleted
from workflows.models import Execution, SpendEntry
from workflows.models.spend import SPENT, SpendEntryQuerySet

_NAMESPACE: Final = uuid.UUID("5f0b8b0e-6d0d-4c6e-9e4e-0d0c7f2f7a11")
_KEYS: Final = ("user_id", "workflow_label", "provider", "model")


def due() -> SpendEntryQuerySet:
    """The calls that become sums: older than RETENTION_SPEND, their executions deleted."""
    moments = [retention.ago("RETENTION_SPEND"), retention.ago("RETENTION_EXECUTIONS")]
    if None in moments:
        return SpendEntry.objects.none()
    before = min(moment for moment in moments if moment)
    execution = Execution.objects.filter(pk=OuterRef("execution_id"))
    # Ids grow with time, so that the table is read from its old end. A sum is no attempt.
    old = SpendEntry.objects.filter(pk__lt=first_id(before), at__lt=before, attempt__gt=0)
    return old.filter(~Exists(execution))


def sum_up(limit: int) -> Deleted:
    """Put so many calls into the sums of their days, users, workflows and models."""
    calls = due().select_for_update(skip_locked=True).order_by("pk")
    rows = list(calls.annotate(spent=SPENT).values("pk", "at", "spent", *_KEYS)[:limit])
    sums: dict[tuple[Any, ...], list[Decimal]] = defaultdict(list)
    for row in rows:
        day = row["at"].replace(hour=0, minute=0, second=0, microsecond=0)
        sums[day, *(row[key] for key in _KEYS)].append(row["spent"])
    for (day, *key), spent in sums.items():
        _add(day, dict(zip(_KEYS, key, strict=True)), len(spent), sum(spent, Decimal(0)))
    SpendEntry.objects.filter(pk__in=[row["pk"] for row in rows]).delete()
    return Deleted(len(rows), more=len(rows) == limit)


def _add(day: datetime, of: dict[str, Any], calls: int, spent: Decimal) -> None:
    name = json.dumps([day.isoformat(), *(str(value) for value in of.values())])
    entry, is_new = SpendEntry.objects.get_or_create(
        execution_id=uuid.uuid5(_NAMESPACE, name),
        task_id="",
        item_index=0,
        attempt=0,
        defaults={**of, "at": day, "calls": calls, "reserved": spent, "settled": spent},
    )
    if not is_new:
        SpendEntry.objects.filter(pk=entry.pk).update(
            calls=F("calls") + calls, reserved=F("reserved") + spent, settled=F("settled") + spent
        )
