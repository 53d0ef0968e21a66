"""Where a spike leads: lists of what happened meanwhile. Apps above register theirs."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse

REQUESTS: Final = "requests"
EXECUTIONS: Final = "executions"
ERRORS: Final = "errors"
START: Final = "{start}"
END: Final = "{end}"


@dataclass(frozen=True, slots=True)
class Link:
    """A list: its label, the name of its page, and the query with START and END in it."""

    label: str
    page: str
    query: tuple[tuple[str, str], ...]

    @property
    def address(self) -> str:
        """Its address, with START and END where the moments belong."""
        return f"{reverse(self.page)}?{urlencode(self.query, safe='{}:/')}"

    def between(self, start: str, end: str) -> str:
        """Its address for a time, given in ISO 8601, UTC."""
        return self.address.replace(START, start).replace(END, end)


_links: Final[dict[str, list[Link]]] = {}


def register(topic: str, label: str, page: str, **query: str) -> None:
    """Offer a list to whoever looks at a chart of the topic."""
    link = Link(label, page, tuple(query.items()))
    if link not in _links.setdefault(topic, []):
        _links[topic].append(link)


def register_ours() -> None:
    """Offer our own lists: the requests behind a chart of requests, and what broke meanwhile."""
    register(REQUESTS, "Requests", "manage_requests", start=START, end=END)
    register(ERRORS, "Errors", "manage_errors", between=f"{START}/{END}", status="any")


def of(topic: str) -> list[Link]:
    """The lists of the topic."""
    return _links.get(topic, [])


def but(topic: str) -> list[Link]:
    """All lists without those of the topic."""
    return [link for name, found in _links.items() if name != topic for link in found]


def beginning_with(topic: str) -> list[Link]:
    """All lists, those of the topic first."""
    return of(topic) + but(topic)
