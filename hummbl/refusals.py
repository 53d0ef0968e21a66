"""Refused authorisations: who is signed in and may not do what they tried.

The API's exception handler and the error pages tell of each; an app that keeps a log of them
registers itself from its `AppConfig.ready()`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.http import HttpRequest

if TYPE_CHECKING:
    from rest_framework.request import Request

    Listener = Callable[[HttpRequest | Request, str], None]

_listeners: dict[str, Listener] = {}


def register(name: str, listener: Listener) -> None:
    """Call this with the request and the error's code; the last one of a name counts."""
    _listeners[name] = listener


def tell(request: HttpRequest | Request, code: str) -> None:
    """A request was answered with 403."""
    for listener in _listeners.values():
        listener(request, code)
