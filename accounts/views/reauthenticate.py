"""Asking for the password again before a sensitive change."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from accounts import browser
from accounts.errors import SignInTooOld
from accounts.forms import PasswordAgainForm
from accounts.http import UserRequest
from accounts.models import Session
from accounts.reauthentication import give_password, is_recent, require_recent, require_session
from accounts.views import kept_form
from accounts.views.access import signed_in
from accounts.views.forms import FORM_METHODS, destination, form_page, refuse
from hummbl.errors import AppError

View = Callable[..., HttpResponse]

TEMPLATE = "accounts/reauthenticate.html"


@never_cache
@signed_in
@sensitive_post_parameters()
@require_http_methods(FORM_METHODS)
def reauthenticate(request: UserRequest) -> HttpResponse:
    """Give the password again, and go on to where one was going."""
    form = PasswordAgainForm(request.POST or None, initial={"next": request.GET.get("next", "")})
    refusal = None
    if request.method == "POST" and form.is_valid():
        refusal = _take_password(request, form)
        if refusal is None:
            return redirect(destination(request))
    return _password_page(request, form, refusal)


def recent_sign_in(view: View) -> View:
    """A view for people whose password was asked for within the last 15 minutes.

    Others give it first and go on from there: a page is opened then, and a form that was sent is
    carried out as it was sent. Goes below `signed_in` and what asks for a role.
    """

    @wraps(view)
    def checked(request: UserRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        require_recent(browser.session_of(request))
        return view(request, *args, **kwargs)

    return asks_for_password(checked)


def asks_for_password(view: View) -> View:
    """A view that calls `require_recent` itself, after it has looked for the object and the role.

    Who is refused there gives the password, as with `recent_sign_in`.
    """

    @wraps(view)
    @sensitive_post_parameters()
    def answer(request: UserRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        session = require_session(browser.session_of(request))
        if kept_form.FIELD in request.POST:
            refused = _go_on(request, session)
            if refused is not None:
                return refused
        try:
            return view(request, *args, **kwargs)
        except SignInTooOld as error:
            return _ask(request, session, error)

    return answer


def _go_on(request: UserRequest, session: Session) -> HttpResponse | None:
    """Take the password and bring back the form that was kept; else say what is wrong."""
    if not is_recent(session):
        form = PasswordAgainForm(request.POST)
        refusal = _take_password(request, form) if form.is_valid() else None
        if refusal or form.errors:
            return _password_page(request, form, refusal, kept=kept_form.keep(request, session))
    if not kept_form.restore(request, session):
        messages.error(
            request, "What you sent is no longer there. Nothing was changed: do it again."
        )
        return redirect(settings.LOGIN_REDIRECT_URL)
    return None


def _ask(request: UserRequest, session: Session, error: SignInTooOld) -> HttpResponse:
    """Send the browser to the page that asks; a form that was sent waits in it."""
    if request.htmx:
        return HttpResponseClientRedirect(_address(request.htmx.current_url_abs_path or "/"))
    if request.method != "POST":
        return redirect(_address(request.get_full_path()))
    kept = kept_form.keep(request, session)
    return _password_page(request, PasswordAgainForm(), error, kept=kept)


def _address(following: str) -> str:
    return f"{reverse('reauthenticate')}?{urlencode({'next': following})}"


def _take_password(request: HttpRequest, form: PasswordAgainForm) -> AppError | None:
    try:
        give_password(request, browser.session_of(request), form.cleaned_data["password"])
    except AppError as error:
        return refuse(form, error)
    return None


def _password_page(
    request: HttpRequest,
    form: PasswordAgainForm,
    refusal: AppError | None,
    *,
    kept: str = "",
) -> HttpResponse:
    response = form_page(request, TEMPLATE, form, refusal, kept=kept, kept_name=kept_form.FIELD)
    add_never_cache_headers(response)
    return response
