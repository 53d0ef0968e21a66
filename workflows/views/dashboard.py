"""What runs, what ran, and what it cost."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import Count, DecimalField, Q, Sum
from django.db.models.functions import Coalesce, TruncDate
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts.http import UserRequest
from accounts.models import User
from workflows import samples
from workflows.access import require_writer
from workflows.models import Execution, SpendEntry, Workflow
from workflows.models.execution import ExecutionStatus
from workflows.views.access import signed_in

DAYS = 30
RECENT = 8
UNDER_WAY = 6
CHART_HEIGHT = 176
CHART_WIDTH = 1000

_WEEK = timedelta(days=7)
# What a call is known to have cost, or may have cost while the bill is not known.
_SPENT = Coalesce("settled", "reserved", output_field=DecimalField())


@signed_in
@vary_on_headers("HX-Request")
@require_http_methods(["GET", "HEAD", "POST"])
def dashboard(request: UserRequest) -> HttpResponse:
    """The first page; an htmx request gets the part that moves. A POST runs the sample workflow."""
    user = request.user
    if request.method == "POST":
        return _run_sample(request)
    if request.htmx:
        return render(request, "workflows/_dashboard_live.html", {**_live(user), "moves": True})
    spend = _spend_by_day(user)
    week = _week(user)
    context = {
        **_live(user),
        "week": week,
        "spend": spend,
        "bars": _bars(spend),
        "spend_month": _spend_since(user, timezone.now().replace(day=1)),
        "spend_days": sum((amount for _, amount in spend), Decimal(0)),
        "has_workflows": Workflow.objects.filter(owner=user).exists(),
    }
    return render(request, "workflows/dashboard.html", context)


def _run_sample(request: UserRequest) -> HttpResponse:
    require_writer(request.user)
    execution = samples.ensure(request.user).execute(user=request.user, input={})
    messages.success(request, "The sample workflow is running on the embedded model.")
    return redirect("execution_detail", pk=execution.pk)


def _live(user: User) -> dict[str, Any]:
    mine = Execution.objects.filter(user=user).with_labels()
    under_way = list(mine.under_way().order_by("-created_at")[: UNDER_WAY + 1])
    return {
        "under_way": under_way[:UNDER_WAY],
        "under_way_count": len(under_way)
        if len(under_way) <= UNDER_WAY
        else Execution.objects.filter(user=user).under_way().count(),
        "recent": list(mine.order_by("-created_at")[:RECENT]),
    }


@dataclass(frozen=True, slots=True)
class Week:
    """Runs that ended in the last seven days, and the rates of success, 0 to 1, of two weeks."""

    ended: int
    completed: int
    failed: int
    rate: float | None
    change: float | None


def _week(user: User) -> Week:
    """Cancelled runs are neither a success nor a failure."""
    now = timezone.now()
    this, before = Q(completed_at__gte=now - _WEEK), Q(completed_at__lt=now - _WEEK)
    good, bad = Q(status=ExecutionStatus.COMPLETED), Q(status=ExecutionStatus.FAILED)
    counts = Execution.objects.filter(user=user, completed_at__gte=now - 2 * _WEEK).aggregate(
        ended=Count("pk", filter=this),
        good=Count("pk", filter=this & good),
        bad=Count("pk", filter=this & bad),
        good_before=Count("pk", filter=before & good),
        bad_before=Count("pk", filter=before & bad),
    )
    rate = _rate(counts["good"], counts["bad"])
    earlier = _rate(counts["good_before"], counts["bad_before"])
    change = None if rate is None or earlier is None else (rate - earlier) * 100
    return Week(counts["ended"], counts["good"], counts["bad"], rate, change)


def _rate(good: int, bad: int) -> float | None:
    return good / (good + bad) if good + bad else None


def _spend_since(user: User, start: datetime) -> Decimal:
    start = start.replace(hour=0, minute=0, second=0, microsecond=0)
    entries = SpendEntry.objects.filter(user=user, at__gte=start)
    total = entries.aggregate(total=Sum(_SPENT))["total"]
    return Decimal(total or 0)


def _spend_by_day(user: User) -> list[tuple[date, Decimal]]:
    """Each of the last 30 days, today included, with its spend in US dollars."""
    today = timezone.now().date()
    first = today - timedelta(days=DAYS - 1)
    rows = (
        SpendEntry.objects.filter(user=user, at__date__gte=first)
        .annotate(day=TruncDate("at"))
        .values("day")
        .annotate(total=Sum(_SPENT))
        .order_by("day")
    )
    by_day = {row["day"]: row["total"] for row in rows}
    days = (first + timedelta(days=offset) for offset in range(DAYS))
    return [(day, Decimal(by_day.get(day, 0))) for day in days]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of the chart, in the units of its view box."""

    x: str
    y: str
    width: str
    height: str
    is_today: bool


def _bars(spend: list[tuple[date, Decimal]]) -> list[Bar]:
    highest = max(amount for _, amount in spend)
    step = CHART_WIDTH / len(spend)
    bars = []
    for at, (_, amount) in enumerate(spend):
        share = float(amount / highest) if highest else 0.0
        height = max(2.0, share * (CHART_HEIGHT - 8)) if amount else 0.0
        x, y = at * step + step * 0.15, CHART_HEIGHT - height
        is_today = at == len(spend) - 1
        bars.append(Bar(f"{x:.1f}", f"{y:.1f}", f"{step * 0.7:.1f}", f"{height:.1f}", is_today))
    return bars
