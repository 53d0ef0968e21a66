"""Query parameters of lists, from a list of allowed names."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Final

from rest_framework.request import Request

from hummbl.api.errors import InvalidBody

_PAGING: Final = ("limit", "cursor")
MAX_SEARCH: Final = 200
MAX_NAME: Final = 60


def read_filters(request: Request, *allowed: str) -> dict[str, str]:
    """The filters that were given and are not empty.

    Raises InvalidBody for any other name: a misspelt filter would show everything.
    """
    given = request.query_params
    for name in given:
        if name not in allowed and name not in _PAGING:
            raise _invalid(name, "unknown_filter", _no_such_filter(name, allowed))
    return {name: given[name] for name in allowed if given.get(name)}


def one_of(name: str, value: str, choices: Iterable[str]) -> str:
    """The value, if it is among the choices. Raises InvalidBody."""
    if value not in choices:
        raise _invalid(name, "invalid_choice", f"Choose one of {', '.join(choices)}.")
    return value


def several(request: Request, name: str, choices: Iterable[str]) -> tuple[str, ...]:
    """All values of a filter that may be repeated. Raises InvalidBody."""
    given = request.query_params.getlist(name)
    return () if given == [""] else tuple(one_of(name, value, choices) for value in given)


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


def _no_such_filter(name: str, allowed: Iterable[str]) -> str:
    shown = name if len(name) <= MAX_NAME else f"{name[:MAX_NAME]}…"
    near = get_close_matches(name[:MAX_NAME], allowed, n=1)
    hint = f'Did you mean "{near[0]}"?' if near else f"Known: {', '.join((*allowed, *_PAGING))}."
    return f'There is no filter "{shown}". {hint}'
