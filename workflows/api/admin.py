"""`/api/admin/…`: everybody's workflows and executions, and how the installation is doing."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any, Final

from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import Field
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accounts.models import User
from hummbl import cache
from hummbl.api.filters import one_of, read_filters, search_text
from hummbl.api.permissions import ADMIN_ONLY
from workflows.api.answers import (
    Answer,
    ExecutionRow,
    Money,
    Person,
    Seconds,
    WorkflowRow,
    execution_row,
    execution_rows,
    money,
    person,
    workflow_row,
    workflow_rows,
)
from workflows.api.filters import RUN_PARAMETERS, read_run_filter, status_parameter
from workflows.figures import oversight, statistics
from workflows.models import Execution, Workflow, WorkflowStatus

_PERSON_TEXT: Final = "An id, or a part of the e-mail address."


def _parameter(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, description=description)


class AddressedPerson(Person):
    """A user, as an administrator sees them."""

    email: str


class ManagedWorkflow(WorkflowRow):
    """A workflow in the administrator's list."""

    owner: AddressedPerson
    execution_count: int
    last_run_at: datetime | None
    spend_30_days: Annotated[Money, Field(description="Of the runs started in the last 30 days")]


@extend_schema(tags=["admin"])
class ManagedWorkflowViewSet(GenericViewSet[Workflow]):
    """Everybody's workflows."""

    queryset = Workflow.objects.none()
    permission_classes = ADMIN_ONLY

    @extend_schema(
        operation_id="admin_workflows",
        summary="List everybody's workflows",
        responses=ManagedWorkflow,
        parameters=[
            status_parameter(WorkflowStatus.values),
            _parameter("q", "In the name or the description."),
            _parameter("owner", _PERSON_TEXT),
        ],
    )
    def list(self, request: Request) -> Response:
        """Rows without the documents, newest first, with what each is used for."""
        chosen = read_filters(request, "status", "q", "owner")
        rows = Workflow.objects.all()
        if "status" in chosen:
            rows = rows.filter(status=one_of("status", chosen["status"], WorkflowStatus.values))
        if "q" in chosen:
            rows = rows.matching(search_text("q", chosen["q"]))
        if "owner" in chosen:
            rows = rows.filter(oversight.is_person("owner", search_text("owner", chosen["owner"])))
        page = list(self.paginate_queryset(workflow_rows(rows)) or ())
        activity = oversight.activity_of([row["id"] for row in page])
        return self.get_paginated_response([_managed(row, activity[row["id"]]) for row in page])


def _managed(row: dict[str, Any], activity: oversight.Activity) -> dict[str, Any]:
    email = row["owner__email"]
    answer = workflow_row(row)
    answer["owner"]["email"] = email
    return {
        **answer,
        "execution_count": activity.executions,
        "last_run_at": activity.last_run_at,
        "spend_30_days": money(activity.spend),
    }


class ManagedExecution(ExecutionRow):
    """An execution in the administrator's list."""

    workflow_name: str
    user: AddressedPerson
    trigger: str
    duration: Seconds
    created_at: datetime


@extend_schema(tags=["admin"])
class ManagedExecutionViewSet(GenericViewSet[Execution]):
    """Everybody's executions."""

    queryset = Execution.objects.none()
    permission_classes = ADMIN_ONLY

    @extend_schema(
        operation_id="admin_executions",
        summary="List everybody's executions",
        responses=ManagedExecution,
        parameters=[*RUN_PARAMETERS, _parameter("user", _PERSON_TEXT)],
    )
    def list(self, request: Request) -> Response:
        """Rows without the tasks, newest first."""
        run_filter, more = read_run_filter(request, "user")
        runs = run_filter.of(Execution.objects.all())
        if "user" in more:
            runs = runs.filter(oversight.is_person("user", search_text("user", more["user"])))
        rows = execution_rows(
            runs.select_related("workflow", "user"),
            *("workflow__name", "user__name", "user__email", "trigger"),
        )
        page = self.paginate_queryset(rows)
        return self.get_paginated_response([_managed_run(run) for run in page or ()])


def _managed_run(run: Execution) -> dict[str, Any]:
    return {
        **execution_row(run),
        "workflow_name": run.workflow.name,
        "user": _addressed(run.user),
        "trigger": run.trigger,
        "duration": run.duration,
        "created_at": run.created_at,
    }


def _addressed(user: User) -> dict[str, Any]:
    return {**person(user), "email": user.email}


class Queue(Answer):
    """What waits for a worker, what runs, and who could run it."""

    pending: int
    running: int
    waiting: int
    oldest_pending_seconds: Seconds
    workers_alive: int


class PeriodRuns(Answer):
    """The runs started in a period; tests of single tasks are none."""

    total: int
    by_status: dict[str, int]
    success_rate: Annotated[
        float | None, Field(description="Completed of completed and failed, 0 to 1")
    ]


class Periods(Answer):
    """By days of UTC, today included."""

    today: PeriodRuns
    last_7_days: PeriodRuns
    last_30_days: PeriodRuns
    all: PeriodRuns


class PeriodSpend(Answer):
    """By days of UTC, today included; what is reserved counts while the bill is unknown."""

    today: Money
    last_7_days: Money
    last_30_days: Money


class DayFigures(Answer):
    """A day of UTC."""

    day: date
    by_status: dict[str, int]
    spend: Money


class DurationFigures(Answer):
    """Seconds from start to end of the newest completed runs of the last 7 days."""

    runs: Annotated[int, Field(description="How many were looked at: at most 5,000")]
    p50: Seconds
    p95: Seconds


class ModelFigures(Answer):
    """A model in the last 7 days. Tasks and tokens are those of runs that are still kept."""

    provider: str
    model: str
    calls: int
    spend: Money
    tasks: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int


class UserFigures(Answer):
    """Users: the active ones by role, and those who are not active."""

    active: dict[str, int]
    inactive: int


class CacheFigures(Answer):
    """A kind of value in the cache of the process that answers."""

    hits: int
    misses: int


class Statistics(Answer):
    """How the installation is doing. The queue is as of now, the rest at most a minute old."""

    at: datetime
    queue: Queue
    users: UserFigures
    workflows: dict[str, int]
    executions: Periods
    spend: PeriodSpend
    days: list[DayFigures]
    durations: DurationFigures
    models: list[ModelFigures]
    cache: dict[str, CacheFigures]
    database_bytes: int


class StatisticsView(APIView):
    """How the installation is doing."""

    permission_classes = ADMIN_ONLY

    @extend_schema(
        operation_id="admin_stats",
        tags=["admin"],
        summary="Read how the installation is doing",
        responses=Statistics,
    )
    def get(self, request: Request) -> Response:
        """Counts, rates, durations, tokens and spend of everybody's work."""
        read_filters(request)
        return Response(_statistics(statistics.now(), statistics.overview()))


def _statistics(now: statistics.Now, found: statistics.Overview) -> dict[str, Any]:
    periods = {"today": 1, "last_7_days": statistics.WEEK, "last_30_days": statistics.DAYS}
    return {
        "at": found.at,
        "queue": {
            "pending": now.pending,
            "running": now.running,
            "waiting": now.waiting,
            "oldest_pending_seconds": now.oldest_pending_seconds,
            "workers_alive": now.workers,
        },
        "users": {"active": found.users, "inactive": found.inactive_users},
        "workflows": found.workflows,
        "executions": {
            **{name: _period(found.runs_of(days)) for name, days in periods.items()},
            "all": _period(found.executions),
        },
        "spend": {name: money(found.spend_of(days)) for name, days in periods.items()},
        "days": [
            {"day": day.day, "by_status": day.runs.by_status, "spend": money(day.spend)}
            for day in found.days
        ],
        "durations": asdict(found.durations),
        "models": [{**asdict(use), "spend": money(use.spend)} for use in found.models],
        "cache": cache.stats(),
        "database_bytes": found.database_bytes,
    }


def _period(runs: statistics.Runs) -> dict[str, Any]:
    return {
        "total": runs.total,
        "by_status": runs.by_status,
        "success_rate": runs.success_rate,
    }
