"""Addresses as the patterns that they match: `/workflows/{id}`, of which there are few."""

import re
from functools import lru_cache
from typing import Final

from django.urls import Resolver404, ResolverMatch, resolve

UNMATCHED: Final = "unmatched"

# Patterns that take whatever is left.
_CATCH_ALL: Final = frozenset({"api_unknown"})
_PARAMETER: Final = re.compile(r"(?:\(\?P)?<(?:\w+:)?(\w+)>(?:[^()/]*\))?")
# What is below has no page that could tell of itself.
_NO_PAGES: Final = ("/api", "/admin")


@lru_cache(maxsize=500)
def label(route: str) -> str:
    """A pattern of the URLconf as metrics name it: `workflows/<uuid:pk>` is `/workflows/{id}`."""
    return "/" + re.sub(r"\?\$?$|[\^$\\]", "", _PARAMETER.sub(_placeholder, route))


def of(match: ResolverMatch | None) -> str:
    """The pattern that a request was answered by; `unmatched` when there was none."""
    if match is None or match.url_name in _CATCH_ALL:
        return UNMATCHED
    return label(match.route)


@lru_cache(maxsize=500)
def page_of(path: str) -> str:
    """The pattern of the page at this path; `unmatched` when there is none."""
    if path.startswith(_NO_PAGES):
        return UNMATCHED
    try:
        return label(resolve(path).route)
    except Resolver404:
        return UNMATCHED


def _placeholder(found: re.Match[str]) -> str:
    return "{id}" if found[1] == "pk" else f"{{{found[1]}}}"
