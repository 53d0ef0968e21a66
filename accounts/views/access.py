"""Who may open which page."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponseBase
from django_htmx.http import HttpResponseClientRefresh

from accounts.http import UserRequest
from hummbl.errors import Forbidden

View = Callable[..., HttpResponseBase]


def signed_in(view: View) -> View:
    """Send strangers to the sign-in page.

    A fragment's answer makes the browser reload the page around it: the sign-in page must not
    appear inside another one when a session ends.
    """
    guarded = login_required(view)

    @wraps(view)
    def answer(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.htmx and not request.user.is_authenticated:
            return HttpResponseClientRefresh()
        return guarded(request, *args, **kwargs)

    return answer


def admins_only(view: View) -> View:
    """Send strangers to the sign-in page, and refuse the other roles. Raises Forbidden."""

    @wraps(view)
    def answer(request: UserRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_admin:
            raise Forbidden("Only administrators see this page.", code="admin_only")
        return view(request, *args, **kwargs)

    return signed_in(answer)
