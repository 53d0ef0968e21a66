"""How runs went and what they cost: the figures of the dashboard."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Max, Q, Sum
from django.utils import timezone

from accounts.models import User
from hummbl import cache
from workflows.figures import midnight, success_rate
from workflows.models import Execution, ExecutionStatus, SpendEntry, Trigger
from workflows.models.execution import ExecutionQuerySet
from workflows.models.spend import SpendEntryQuerySet

DAYS = 30
WEEK = timedelta(days=7)
# Deletions of what is older than two weeks or a month are the one change that no key tells of.
TTL_SECONDS = 60

_GOOD, _BAD = Q(status=ExecutionStatus.COMPLETED), Q(status=ExecutionStatus.FAILED)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose runs are meant: a user's own, or everyone's."""

    user: User
    everyone: bool = False

    @property
    def runs(self) -> ExecutionQuerySet:
        """The executions."""
        runs = Execution.objects.all()
        return runs if self.everyone else runs.filter(user=self.user)

    @property
    def spend(self) -> SpendEntryQuerySet:
        """The entries of the ledger."""
        entries = SpendEntry.objects.all()
        return entries if self.everyone else entries.filter(user=self.user)

    @property
    def name(self) -> str:
        """What tells it from other scopes."""
        return "everyone" if self.everyone else str(self.user.pk)


@dataclass(frozen=True, slots=True)
class Week:
    """Runs begun in the last seven days that have ended; rates of success are 0 to 1.

    Cancelled runs and tests of single tasks are neither a success nor a failure. `change` is in
    points of a hundred, against the seven days before.
    """

    completed: int
    failed: int
    rate: float | None
    change: float | None

    @property
    def judged(self) -> int:
        """The runs that the rate is a share of."""
        return self.completed + self.failed


@dataclass(frozen=True, slots=True)
class Failing:
    """A workflow whose last judged run failed, and when that run was created."""

    workflow_id: uuid.UUID
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Figures:
    """The dashboard's figures; money in US dollars."""

    under_way: int
    week: Week
    failing: list[Failing]
    input_tokens: int
    output_tokens: int
    days: list[tuple[date, Decimal]]  # what each day cost; this month's and 30 at least, today last

    @property
    def tokens(self) -> int:
        """Of this month."""
        return self.input_tokens + self.output_tokens

    @property
    def spend(self) -> list[tuple[date, Decimal]]:
        """Each of the last 30 days, today included, and what it cost."""
        return self.days[-DAYS:]

    @property
    def spend_days(self) -> Decimal:
        """Of the last 30 days."""
        return _sum(self.spend)

    @property
    def spend_month(self) -> Decimal:
        """Since the first of this month."""
        first = self.days[-1][0].replace(day=1)
        return _sum([entry for entry in self.days if entry[0] >= first])


def _sum(days: list[tuple[date, Decimal]]) -> Decimal:
    return sum((amount for _, amount in days), Decimal(0))


def figures(scope: Scope) -> Figures:
    """What stands on the dashboard; what has ended comes from the cache while nothing changes."""
    now = timezone.now()
    moving = scope.runs.under_way().aggregate(
        count=Count("*"), input=Sum("input_tokens"), output=Sum("output_tokens")
    )
    key = _state(scope, now, moving["count"])
    ended = cache.get_or_set("dashboard", key, TTL_SECONDS, lambda: _ended(scope, now))
    today = scope.spend.filter(at__gte=midnight(now.date())).spent()
    return Figures(
        under_way=moving["count"],
        week=ended.week,
        failing=ended.failing,
        input_tokens=ended.input_tokens + (moving["input"] or 0),
        output_tokens=ended.output_tokens + (moving["output"] or 0),
        days=[*ended.days, (now.date(), today)],
    )


def cost_by_workflow(scope: Scope) -> dict[uuid.UUID, Decimal]:
    """US dollars that the runs of the last 30 days cost, by workflow; cached as the figures are."""
    now = timezone.now()
    key = _state(scope, now, scope.runs.under_way().count())
    return cache.get_or_set("workflow_cost", key, TTL_SECONDS, lambda: _costs(scope, now))


def _costs(scope: Scope, now: datetime) -> dict[uuid.UUID, Decimal]:
    runs = scope.runs.filter(created_at__gte=now - timedelta(days=DAYS)).order_by()
    rows = runs.values_list("workflow_id").annotate(Sum("cost"))
    return {pk: Decimal(cost) for pk, cost in rows}


def _state(scope: Scope, now: datetime, under_way: int) -> str:
    """A text that changes when a run comes, ends or is deleted.

    Runs change only while they are under way, so nothing else happens to those that have ended.
    """
    seen = scope.runs.filter(created_at__gte=_first(now)).aggregate(
        count=Count("*"), newest=Max("created_at")
    )
    return f"{scope.name}|{now.date()}|{under_way}|{seen['count']}|{seen['newest']}"


@dataclass(frozen=True, slots=True)
class _Ended:
    """What no run under way can change."""

    week: Week
    failing: list[Failing]
    input_tokens: int
    output_tokens: int
    days: list[tuple[date, Decimal]]  # those before today


def _ended(scope: Scope, now: datetime) -> _Ended:
    runs = scope.runs.filter(created_at__gte=_first(now), completed_at__isnull=False)
    judged = ~Q(trigger=Trigger.TEST)
    this, before = Q(created_at__gte=now - WEEK), Q(created_at__lt=now - WEEK)
    before &= Q(created_at__gte=now - 2 * WEEK)
    month = Q(created_at__gte=midnight(now.date().replace(day=1)))
    counts: dict[str, Any] = runs.aggregate(
        good=Count("pk", filter=judged & this & _GOOD),
        bad=Count("pk", filter=judged & this & _BAD),
        good_before=Count("pk", filter=judged & before & _GOOD),
        bad_before=Count("pk", filter=judged & before & _BAD),
        input=Sum("input_tokens", filter=month),
        output=Sum("output_tokens", filter=month),
    )
    return _Ended(
        week=_week(counts),
        failing=_failing(scope.runs.filter(judged & this, completed_at__isnull=False)),
        input_tokens=counts["input"] or 0,
        output_tokens=counts["output"] or 0,
        days=_days_before(scope, now.date()),
    )


def _week(counts: dict[str, Any]) -> Week:
    rate = success_rate(counts["good"], counts["bad"])
    earlier = success_rate(counts["good_before"], counts["bad_before"])
    change = None if rate is None or earlier is None else (rate - earlier) * 100
    return Week(counts["good"], counts["bad"], rate, change)


def _failing(runs: ExecutionQuerySet) -> list[Failing]:
    """Workflows that have failed since they last succeeded, the latest failure first."""
    rows = (
        runs.values("workflow_id")
        .annotate(
            good=Max("created_at", filter=_GOOD),
            bad=Max("created_at", filter=_BAD),
        )
        .filter(Q(good=None) | Q(bad__gt=F("good")), bad__isnull=False)
        .order_by("-bad")
    )
    return [Failing(row["workflow_id"], row["bad"]) for row in rows]


def _days_before(scope: Scope, today: date) -> list[tuple[date, Decimal]]:
    first = min(today.replace(day=1), today - timedelta(days=DAYS - 1))
    by_day = scope.spend.filter(at__gte=midnight(first), at__lt=midnight(today)).spent_by_day()
    days = (first + timedelta(days=offset) for offset in range((today - first).days))
    return [(day, by_day.get(day, Decimal(0))) for day in days]


def _first(now: datetime) -> datetime:
    """From when on runs are looked at: this month, and two weeks at least."""
    return min(midnight(now.date().replace(day=1)), now - 2 * WEEK)
