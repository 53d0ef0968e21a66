"""What became of one task of an execution."""

from django.db import models
from django.db.models import Q

from hummbl.models import BaseModel
from workflows.models.states import TERMINAL_TASK_STATUSES, TaskStatus
from workflows.models.texts import LongTextField


class TaskResult(BaseModel):
    """A task's state, and when it has ended, its output, tokens and cost.

    `input` is the prompt as it was sent. `attempts` counts calls, the first included. `cost` is
    in US dollars over all attempts; an attempt whose bill is unknown (a time-out, a lost
    connection) counts with the upper bound that was reserved for it.
    """

    # The unique constraint below begins with the execution: an index of its own would be twice.
    execution = models.ForeignKey(
        "Execution", on_delete=models.CASCADE, related_name="tasks", db_index=False
    )
    task_id = models.CharField(max_length=64)
    item_index = models.PositiveIntegerField(default=0)
    position = models.PositiveIntegerField(help_text="The task's place in the document.")
    task_name = models.CharField(max_length=200)
    agent_id = models.CharField(max_length=64)
    status = models.CharField(max_length=10, choices=TaskStatus, default=TaskStatus.PENDING)
    input = LongTextField(blank=True)
    output = LongTextField(blank=True)
    error = models.TextField(blank=True)
    error_code = models.CharField(max_length=50, blank=True)
    finish_reason = models.CharField(max_length=30, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    model = models.CharField(max_length=200, blank=True)
    input_tokens = models.PositiveBigIntegerField(default=0)
    cached_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    cost = models.DecimalField(max_digits=16, decimal_places=8, default=0)
    reused_from = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "item_index"]
        indexes = [
            models.Index(
                fields=["reused_from"],
                name="task_result_reused",
                condition=Q(reused_from__isnull=False),
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["execution", "task_id", "item_index"], name="task_result_unique"
            ),
            models.CheckConstraint(
                condition=Q(status__in=TaskStatus.values), name="task_result_status_valid"
            ),
            models.CheckConstraint(condition=Q(cost__gte=0), name="task_result_cost_not_negative"),
            models.CheckConstraint(
                condition=Q(status__in=TERMINAL_TASK_STATUSES, completed_at__isnull=False)
                | (~Q(status__in=TERMINAL_TASK_STATUSES) & Q(completed_at__isnull=True)),
                name="task_result_completed_at_iff_ended",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task_name}: {self.status}"

    @property
    def is_terminal(self) -> bool:
        """Whether the status will never change again."""
        return self.status in TERMINAL_TASK_STATUSES

    @property
    def duration(self) -> float | None:
        """Seconds from the first attempt to the end; None while there is no end."""
        if self.started_at is None or self.completed_at is None:
            return None
        return (self.completed_at - self.started_at).total_seconds()
