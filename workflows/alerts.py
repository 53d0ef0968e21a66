"""What alert rules can watch of the engine, and those of its rules that are ready-made."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Min
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from observability import names
from observability.alerts import conditions, ready_made
from observability.alerts.conditions import Condition, Reading

# The days before today whose mean is the forecast, and what a day must have cost to be worth a
# message, in US dollars.
FORECAST_DAYS: Final = 14
DAY: Final = 86400
LEAST_SPENT: Final = 1


def register() -> None:
    """Offer the conditions, and have the rules made."""
    for condition in (
        Condition(
            "workers-alive",
            "Workers alive",
            "",
            _workers,
            has_window=False,
            metric=names.WORKERS_ALIVE,
        ),
        Condition(
            "stuck-execution",
            "How long an execution has waited for a worker",
            "seconds",
            _stuck,
            has_window=False,
            metric=names.QUEUE_DEPTH,
        ),
        Condition(
            "failed-executions",
            "Share of executions that fail",
            "%",
            _failed,
            metric=names.EXECUTION_COUNT,
        ),
        Condition(
            "spend-forecast",
            "Today’s spend as a share of the usual day’s",
            "%",
            _spend,
            has_window=False,
            metric=names.AI_COST,
        ),
    ):
        conditions.register(condition)
    _register_rules()


def _register_rules() -> None:
    ready_made.register(
        "silent-worker",
        "No worker is alive",
        condition="workers-alive",
        comparison="below",
        threshold=1,
        for_seconds=120,
        severity="critical",
    )
    ready_made.register(
        "stuck-execution",
        "An execution is stuck",
        condition="stuck-execution",
        threshold=300,
        severity="high",
    )
    ready_made.register(
        "failed-executions",
        "Executions fail",
        condition="failed-executions",
        threshold=25,
        window_seconds=900,
        min_samples=5,
        severity="medium",
    )
    ready_made.register(
        "spend-forecast",
        "More is spent than usual",
        condition="spend-forecast",
        threshold=200,
        repeat_seconds=86400,
        severity="medium",
    )


def _workers(_start: datetime, _end: datetime) -> Reading:
    from workflows.models import Worker

    return Reading(Worker.objects.alive().count())


def _stuck(_start: datetime, _end: datetime) -> Reading:
    """Of those that nobody holds, the longest time since they were made or let go."""
    from workflows.models import Execution
    from workflows.models.states import CLAIMABLE

    waiting = Execution.objects.order_by().filter(status__in=CLAIMABLE)
    free = waiting.exclude(lease_expires_at__gt=Now())
    since = free.aggregate(oldest=Min(Coalesce("lease_expires_at", "created_at")))["oldest"]
    return Reading((timezone.now() - since).total_seconds() if since else 0)


def _failed(start: datetime, end: datetime) -> Reading | None:
    from observability import series

    ended = series.by(names.EXECUTION_COUNT, start, end, ["outcome"])
    total = sum(summary.sum for summary in ended.values())
    if not total:
        return None
    failed = ended.get(("failed",))
    return Reading(100 * failed.sum / total if failed else 0, total)


def _spend(_start: datetime, end: datetime) -> Reading | None:
    """Nothing to say while there is no usual day yet, or of a few cents."""
    from observability import series

    today = end.replace(hour=0, minute=0, second=0, microsecond=0)
    spent = series.total(names.AI_COST, today, end).sum
    since = today - timedelta(days=FORECAST_DAYS)
    days = series.points(names.AI_COST, since, today, DAY)
    if spent < LEAST_SPENT or not days:
        return None
    usual = sum(day.summary.sum for day in days) / len(days)
    return Reading(100 * spent / usual) if usual else None
