"""How far executions and tasks can be, and what can start an execution."""

from django.db import models


class ExecutionStatus(models.TextChoices):
    """pending → running → completed | failed | cancelled, and running ⇄ waiting."""

    PENDING = "pending", "Pending"
    RUNNING = "running", "Running"
    WAITING = "waiting", "Waiting"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


TERMINAL_STATUSES = (
    ExecutionStatus.COMPLETED,
    ExecutionStatus.FAILED,
    ExecutionStatus.CANCELLED,
)
CLAIMABLE = (ExecutionStatus.PENDING, ExecutionStatus.RUNNING)
UNDER_WAY = (*CLAIMABLE, ExecutionStatus.WAITING)


class Trigger(models.TextChoices):
    """What started an execution."""

    MANUAL = "manual", "Manual"
    API = "api", "API"
    SCHEDULE = "schedule", "Schedule"
    WEBHOOK = "webhook", "Webhook"
    RERUN = "rerun", "Re-run"
    TEST = "test", "Test of one task"


class TaskStatus(models.TextChoices):
    """pending → running → completed | failed | cancelled; pending → skipped | cancelled."""

    PENDING = "pending", "Pending"
    RUNNING = "running", "Running"
    WAITING = "waiting", "Waiting"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"
    SKIPPED = "skipped", "Skipped"
    CANCELLED = "cancelled", "Cancelled"


TERMINAL_TASK_STATUSES = (
    TaskStatus.COMPLETED,
    TaskStatus.FAILED,
    TaskStatus.SKIPPED,
    TaskStatus.CANCELLED,
)
