"""What the pages behind the links in mails share."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from accounts.errors import InvalidLink

View = Callable[..., HttpResponse]

# Not `no-referrer`: with it browsers send `Origin: null` with the page's own form, which Django
# takes for a forgery. With this one they name the host, and never the query with the token.
REFERRER_POLICY = "strict-origin"


def link_page(view: View) -> View:
    """A page whose address holds a token: kept nowhere, and told to nobody."""

    @wraps(view)
    @never_cache
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["Referrer-Policy"] = REFERRER_POLICY
        return response

    return answer


def token_of(request: HttpRequest) -> str:
    """The token in the page's address."""
    return request.GET.get("token", "")


def invalid_link(request: HttpRequest, template: str) -> HttpResponse:
    """The page for a link that is made up, too old or used; it offers a new one."""
    return render(request, template, status=InvalidLink.status)
