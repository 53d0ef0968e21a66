"""The ledger: what every attempt was allowed to cost, and what it did cost."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from hummbl.models import BaseModel


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
