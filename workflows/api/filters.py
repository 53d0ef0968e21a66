"""Query parameters of lists, from a list of allowed names."""

import uuid
from collections.abc import Iterable

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from hummbl.api.errors import InvalidBody
from workflows.problems import did_you_mean, quote

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


def _invalid(name: str, code: str, message: str) -> InvalidBody:
    return InvalidBody([{"path": name, "code": code, "message": message}])


def status_parameter(choices: Iterable[str]) -> OpenApiParameter:
    """`?status=` in the OpenAPI schema."""
    return OpenApiParameter("status", str, enum=list(choices), description="Only with this status.")
