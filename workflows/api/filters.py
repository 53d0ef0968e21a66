"""Query parameters of lists, from a list of allowed names."""

import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from hummbl.api.errors import InvalidBody
from workflows.models import ExecutionStatus, Trigger
from workflows.problems import did_you_mean, quote
from workflows.run_filter import RunFilter

_PAGING = ("limit", "cursor")
MAX_SEARCH = 200


def read_filters(request: Request, *allowed: str) -> dict[str, str]:
    """The filters that were given and are not empty.

    Raises InvalidBody for any other name: a misspelt filter would show everything.
    """
    given = request.query_params
    for name in given:
        if name not in allowed and name not in _PAGING:
            known = ", ".join((*allowed, *_PAGING))
            hint = did_you_mean(name, allowed) or f" Known: {known}."
            raise _invalid(name, "unknown_filter", f"There is no filter {quote(name)}.{hint}")
    return {name: given[name] for name in allowed if given.get(name)}


def one_of(name: str, value: str, choices: Iterable[str]) -> str:
    """The value, if it is among the choices. Raises InvalidBody."""
    if value not in choices:
        raise _invalid(name, "invalid_choice", f"Choose one of {', '.join(choices)}.")
    return value


def search_text(name: str, value: str) -> str:
    """Text to look for. Raises InvalidBody when no text can hold it."""
    if "\0" in value or len(value) > MAX_SEARCH:
        raise _invalid(name, "invalid", f"Search for at most {MAX_SEARCH} plain characters.")
    return value


def as_uuid(name: str, value: str) -> uuid.UUID:
    """The id in a query parameter. Raises InvalidBody."""
    try:
        return uuid.UUID(value)
    except ValueError:
        raise _invalid(name, "invalid_id", "This is not an id (a UUID).") from None


def as_moment(name: str, value: str) -> datetime:
    """The moment in a query parameter; without a zone it is UTC. Raises InvalidBody."""
    try:
        # A plus sign that was not escaped arrives as a space.
        moment = datetime.fromisoformat(value.replace(" ", "+") if "T" in value else value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        message = "This is no moment as in ISO 8601, such as 2026-11-22T16:30:00Z."
        raise _invalid(name, "invalid_moment", message) from None


def _invalid(name: str, code: str, message: str) -> InvalidBody:
    return InvalidBody([{"path": name, "code": code, "message": message}])


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
    given = [status for status in request.query_params.getlist("status") if status]
    statuses = [one_of("status", status, ExecutionStatus.values) for status in given]
    return RunFilter(statuses=statuses, **read), {
        name: chosen[name] for name in more if name in chosen
    }
