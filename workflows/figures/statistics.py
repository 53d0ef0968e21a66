"""How the whole installation is doing: the figures of `/api/admin/stats` and of its page.

`now` is cheap and asked each time. `overview` reads the history, so its answer is kept for a
minute. Tests of single tasks count in the queue and in what is spent, and as runs nowhere.
Days are those of UTC; amounts are US dollars and count what is reserved while a bill is unknown.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db.models import Count, Min, OuterRef, Q, Subquery, Sum
from django.utils import timezone

from accounts.models import Role, User
from hummbl import cache, space
from workflows.figures import midnight, success_rate
from workflows.models import (
    Execution,
    ExecutionStatus,
    SpendEntry,
    TaskResult,
    Worker,
    Workflow,
    WorkflowStatus,
)
from workflows.models.execution import ExecutionQuerySet
from workflows.models.spend import SPENT
from workflows.queries import UtcDay

DAYS: Final = 30
WEEK: Final = 7
KEPT_SECONDS: Final = 60
SAMPLE: Final = 5_000


@dataclass(frozen=True, slots=True)
class Now:
    """What is under way. `oldest_pending` is since when, None when nothing waits for a worker."""

    pending: int
    running: int
    waiting: int
    oldest_pending: datetime | None
    workers: int

    @property
    def oldest_pending_seconds(self) -> float | None:
        """For how long the oldest run has waited for a worker."""
        if self.oldest_pending is None:
            return None
        return max(0.0, (timezone.now() - self.oldest_pending).total_seconds())


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs by their status."""

    by_status: Mapping[str, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.by_status.values())

    @property
    def success_rate(self) -> float | None:
        """Completed of completed and failed, 0 to 1; None when neither has happened."""
        good = self.by_status[ExecutionStatus.COMPLETED]
        bad = self.by_status[ExecutionStatus.FAILED]
        return success_rate(good, bad)


@dataclass(frozen=True, slots=True)
class Day:
    """What was started on a day, and what its calls cost."""

    day: date
    runs: Runs
    spend: Decimal


@dataclass(frozen=True, slots=True)
class Durations:
    """Seconds from start to end of the newest completed runs of the last 7 days.

    Exact for the `runs` that were looked at, at most 5,000.
    """

    runs: int
    p50: float | None
    p95: float | None


@dataclass(slots=True)
class ModelUse:
    """A model in the last 7 days: its calls and their cost, the tasks it ended and their tokens.

    Tasks and tokens are those of the runs that are still kept; the ledger's calls outlive them.
    """

    provider: str
    model: str
    calls: int = 0
    spend: Decimal = Decimal(0)
    tasks: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Overview:
    """The history, as of `at`. `days` are the last 30, today last; `models` the dearest first."""

    at: datetime
    users: Mapping[str, int]
    inactive_users: int
    workflows: Mapping[str, int]
    executions: Runs
    days: Sequence[Day]
    durations: Durations
    models: Sequence[ModelUse] = field(default_factory=list)
    database_bytes: int = 0

    def runs_of(self, days: int) -> Runs:
        """The runs started in the last so many days, today included."""
        total: Counter[str] = Counter(dict.fromkeys(ExecutionStatus.values, 0))
        for day in self.days[-days:]:
            total.update(day.runs.by_status)
        return Runs(dict(total))

    def spend_of(self, days: int) -> Decimal:
        """What the calls of the last so many days cost, today included."""
        return sum((day.spend for day in self.days[-days:]), Decimal(0))


def now() -> Now:
    """What is under way; two queries, which few rows answer."""
    found = Execution.objects.under_way().aggregate(
        pending=Count("pk", filter=Q(status=ExecutionStatus.PENDING)),
        running=Count("pk", filter=Q(status=ExecutionStatus.RUNNING)),
        waiting=Count("pk", filter=Q(status=ExecutionStatus.WAITING)),
        oldest_pending=Min("created_at", filter=Q(status=ExecutionStatus.PENDING)),
    )
    return Now(**found, workers=Worker.objects.alive().count())


def overview() -> Overview:
    """The history, at most a minute old."""
    return cache.get_or_set("statistics", "overview", KEPT_SECONDS, _read)


def _read() -> Overview:
    moment = timezone.now()
    active, inactive = _users()
    return Overview(
        at=moment,
        users=active,
        inactive_users=inactive,
        workflows=_filled(
            WorkflowStatus.values, Workflow.objects.values_list("status").annotate(Count("pk"))
        ),
        executions=_runs(_real_runs().values_list("status").annotate(Count("pk"))),
        days=_days(moment.date()),
        durations=_durations(moment - timedelta(days=WEEK)),
        models=_models(moment - timedelta(days=WEEK)),
        database_bytes=space.database_bytes(),
    )


def _real_runs() -> ExecutionQuerySet:
    return Execution.objects.without_tests().order_by()


def _filled(names: Iterable[str], counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    return {**dict.fromkeys(names, 0), **dict(counts)}


def _runs(counts: Iterable[tuple[str, int]]) -> Runs:
    return Runs(_filled(ExecutionStatus.values, counts))


def _users() -> tuple[dict[str, int], int]:
    """The active users by role, and how many are not active."""
    active, inactive = dict.fromkeys(Role.values, 0), 0
    rows = User.objects.values_list("role", "is_active").annotate(Count("pk"))
    for role, is_active, count in rows:
        if is_active:
            active[role] = count
        else:
            inactive += count
    return active, inactive


def _days(today: date) -> list[Day]:
    first = today - timedelta(days=DAYS - 1)
    since = midnight(first)
    counts: dict[date, dict[str, int]] = {}
    started = _real_runs().filter(created_at__gte=since).annotate(day=UtcDay("created_at"))
    for day, status, count in started.values_list("day", "status").annotate(Count("pk")):
        counts.setdefault(day, {})[status] = count
    spend = SpendEntry.objects.filter(at__gte=since).spent_by_day()
    days = (first + timedelta(days=n) for n in range(DAYS))
    return [
        Day(day, _runs(counts.get(day, {}).items()), spend.get(day, Decimal(0))) for day in days
    ]


def _durations(since: datetime) -> Durations:
    ended = _real_runs().filter(created_at__gte=since, status=ExecutionStatus.COMPLETED)
    spans: Any = ended.filter(started_at__isnull=False).order_by("-created_at")
    seconds = sorted(
        (end - start).total_seconds()
        for start, end in spans.values_list("started_at", "completed_at")[:SAMPLE]
    )
    return Durations(len(seconds), _percentile(seconds, 50), _percentile(seconds, 95))


def _percentile(ordered: Sequence[float], percent: int) -> float | None:
    """The nearest-rank percentile: a value that did occur."""
    if not ordered:
        return None
    return ordered[-(-len(ordered) * percent // 100) - 1]


def _models(since: datetime) -> list[ModelUse]:
    found: dict[tuple[str, str], ModelUse] = {}
    calls = SpendEntry.objects.filter(at__gte=since).order_by().values_list("provider", "model")
    for provider, model, count, spend in calls.annotate(Sum("calls"), spend=Sum(SPENT)):
        found[provider, model] = ModelUse(provider, model, calls=count, spend=Decimal(spend))
    for provider, model, *sums in _tokens(since):
        use = found.get((provider, model))
        if use:
            use.tasks, use.input_tokens, use.cached_tokens, use.output_tokens = sums
    return sorted(found.values(), key=lambda use: (-use.spend, -use.calls, use.model))


def _tokens(since: datetime) -> Iterable[Any]:
    """Tasks and tokens by provider and model; the ledger knows the provider of the last call."""
    last_call = SpendEntry.objects.filter(
        execution_id=OuterRef("execution_id"),
        task_id=OuterRef("task_id"),
        item_index=OuterRef("item_index"),
        attempt=OuterRef("attempts"),
    )
    called = TaskResult.objects.filter(execution__created_at__gte=since, attempts__gt=0).order_by()
    by_model = called.annotate(provider=Subquery(last_call.values("provider")[:1])).values_list(
        "provider", "model"
    )
    return by_model.annotate(
        Count("pk"), Sum("input_tokens"), Sum("cached_tokens"), Sum("output_tokens")
    )
