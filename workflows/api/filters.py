"""Query parameters of lists of executions, and `?status=`."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from hummbl.api.filters import as_moment, as_uuid, one_of, read_filters, search_text, several
from workflows.models import ExecutionStatus, Trigger
from workflows.run_filter import RunFilter


def status_parameter(choices: Iterable[str]) -> OpenApiParameter:
    """`?status=` in the OpenAPI schema."""
    return OpenApiParameter("status", str, enum=list(choices), description="Only with this status.")


RUN_PARAMETERS: Final = [
    OpenApiParameter(
        "status",
        str,
        enum=ExecutionStatus.values,
        many=True,
        description="Only with this status; repeat it for several.",
    ),
    OpenApiParameter("workflow_id", OpenApiTypes.UUID, description="Of this workflow."),
    OpenApiParameter("trigger", str, enum=Trigger.values, description="Only started by this."),
    OpenApiParameter(
        "created_after", OpenApiTypes.DATETIME, description="Created at this moment or later."
    ),
    OpenApiParameter(
        "created_before", OpenApiTypes.DATETIME, description="Created before this moment."
    ),
    OpenApiParameter(
        "q",
        str,
        description=(
            "Part of the workflow's name or of the error; in double quotes, the whole name."
        ),
    ),
]
_READ_RUN: Final[dict[str, Callable[[str, str], Any]]] = {
    "workflow_id": as_uuid,
    "trigger": partial(one_of, choices=Trigger.values),
    "created_after": as_moment,
    "created_before": as_moment,
    "q": search_text,
}


def read_run_filter(request: Request, *more: str) -> tuple[RunFilter, dict[str, str]]:
    """What `RUN_PARAMETERS` ask for, and those of the filters in `more` that were given.

    Raises InvalidBody.
    """
    chosen = read_filters(request, "status", *_READ_RUN, *more)
    read = {name: to(name, chosen[name]) for name, to in _READ_RUN.items() if name in chosen}
    statuses = several(request, "status", ExecutionStatus.values)
    return RunFilter(statuses=statuses, **read), {
        name: chosen[name] for name in more if name in chosen
    }
