"""The ledger: what every attempt was allowed to cost, and what it did cost."""

from datetime import date
from decimal import Decimal
from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import DecimalField, Q, Sum
from django.db.models.functions import Coalesce

from hummbl.models import BaseModel
from workflows.queries import UtcDay

# What a call is known to have cost, or may have cost while the bill is not known.
SPENT: Final = Coalesce("settled", "reserved", output_field=DecimalField())


class SpendEntryQuerySet(models.QuerySet["SpendEntry"]):
    """Calls, and what they cost in US dollars."""

    def spent(self) -> Decimal:
        """What they cost together."""
        found = self.order_by().aggregate(total=Sum(SPENT))
        return Decimal(found["total"] or 0)

    def spent_by_day(self) -> dict[date, Decimal]:
        """What those of each day of UTC cost; a day without calls is missing."""
        days = self.order_by().annotate(day=UtcDay("at")).values_list("day")
        return {day: Decimal(total) for day, total in days.annotate(total=Sum(SPENT))}


class SpendEntry(BaseModel):
    """One attempt's reservation and settlement, in US dollars.

    Reserved in the write that starts the attempt, settled in the write that ends it. An entry
    that a crash left unsettled counts as spent. Labels and ids instead of foreign keys: the
    ledger outlives what it names.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
    )
    workflow_label = models.CharField(max_length=200)
    execution_id = models.UUIDField()
    task_id = models.CharField(max_length=64)
    item_index = models.PositiveIntegerField(default=0)
    attempt = models.PositiveIntegerField()
    provider = models.CharField(max_length=20)
    model = models.CharField(max_length=200)
    reserved = models.DecimalField(max_digits=16, decimal_places=8)
    settled = models.DecimalField(max_digits=16, decimal_places=8, null=True)
    at = models.DateTimeField(help_text="When the attempt began.")
    calls = models.PositiveBigIntegerField(
        default=1, db_default=1, help_text="More than one: the sum of a day."
    )

    objects = SpendEntryQuerySet.as_manager()

    class Meta:
        ordering = ["-at"]
        verbose_name_plural = "spend entries"
        indexes = [models.Index(fields=["user", "at"], name="spend_by_user")]
        constraints = [
            models.UniqueConstraint(
                fields=["execution_id", "task_id", "item_index", "attempt"],
                name="spend_attempt_unique",
            ),
            models.CheckConstraint(
                condition=Q(reserved__gte=0) & (Q(settled__isnull=True) | Q(settled__gte=0)),
                name="spend_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.workflow_label} · {self.task_id} · attempt {self.attempt}"
