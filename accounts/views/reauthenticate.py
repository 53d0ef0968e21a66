"""Asking for the password again before a sensitive change."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

from accounts import browser, reauthentication


def recent_sign_in(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view for people whose password was asked for within the last 15 minutes.

    Others give it first, on a page of its own, and come back. Goes below `login_required`.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        session = browser.session_of(request)
        reauthentication.require_recent(session)
        return view(request, *args, **kwargs)

    return guarded
