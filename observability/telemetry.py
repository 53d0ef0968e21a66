"""What pages tell of themselves, as metrics: views, where they came from, events, Web Vitals.

Whoever sends it may be anybody, so nothing that it says becomes a tag unless there are few of it:
a page is the pattern of its address, and names fold into `other` beyond the bound of every metric;
of those who are not signed in much sooner, so that they cannot take the room of others. Neither
addresses nor users are kept.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from observability import metrics, names, newcomers, routes
from observability.buffer import FOLDED
from observability.vitals import VITALS

TYPES: Final = ("view", "event", "vital")
# Words that other scripts use for the same.
SYNONYMS: Final = {"page_view": "view", "pageview": "view", "web_vital": "vital"}
MOST_EVENTS: Final = 50
MOST_PROPS: Final = 10
MOST_LENGTH: Final = 200
MOST_SECONDS: Final = 3600.0

_VITALS: Final = tuple(vital.name for vital in VITALS)
_EVENT: Final = re.compile(r"[a-z0-9_.-]{1,60}")
_HOST: Final = re.compile(r"[a-z0-9_.:\[\]-]{1,200}")

Event = Mapping[str, Any]


def problem_of(event: Event) -> str:
    """Why an event makes no sense, in a sentence; empty if it does. Its types are right."""
    name, props = event["name"], event["props"]
    match event["type"]:
        case "view":
            return _problem_of_view(name, props)
        case "vital":
            return _problem_of_vital(name, props)
    if not _EVENT.fullmatch(name):
        return "An event's name is 1 to 60 of a-z, 0-9, dot, dash and underscore."
    return ""


def _problem_of_view(path: str, props: Event) -> str:
    if not path.startswith("/"):
        return "A view's name is the path of the page, such as /dashboard."
    referrer = props.get("referrer", "")
    if not isinstance(referrer, str) or (referrer and not _HOST.fullmatch(referrer)):
        return "A view's referrer is a host, such as example.com."
    return ""


def _problem_of_vital(name: str, props: Event) -> str:
    if name not in _VITALS:
        return f"A vital's name is one of {', '.join(_VITALS)}."
    value = props.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "A vital needs a number as props.value."
    if value < 0:
        return "A vital's props.value is not negative; times are in seconds."
    if not isinstance(props.get("page", ""), str):
        return "A vital's props.page is the path of the page."
    return ""


def count(events: Iterable[Event], *, signed_in: bool) -> None:
    """Count events that have no problem, in the minute in which they arrive."""
    for event in events:
        name, props = event["name"], event["props"]
        match event["type"]:
            case "view":
                metrics.count(names.PAGE_VIEWS, page=routes.page_of(name))
                if referrer := props.get("referrer"):
                    _count_name(names.REFERRERS, "host", referrer, signed_in)
            case "vital":
                page = routes.page_of(props.get("page", ""))
                value = min(float(props["value"]), MOST_SECONDS)
                metrics.record(names.WEB_VITALS, value, vital=name, page=page)
            case _:
                _count_name(names.BROWSER_EVENTS, "event", name, signed_in)


def _count_name(metric: str, tag: str, name: str, signed_in: bool) -> None:
    if signed_in or newcomers.may_name(metric, tag, name):
        metrics.count(metric, 1, **{tag: name})
    else:
        metrics.count(metric, 1, **dict(FOLDED))
