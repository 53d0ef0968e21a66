"""Signing up, in and out."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import browser, flows
from accounts.forms import SignInForm, SignUpForm
from accounts.models import User
from accounts.views.forms import FORM_METHODS, destination, form_page, refuse, without_next
from hummbl.errors import AppError
from hummbl.ratelimit import check_auth


@never_cache
@sensitive_post_parameters()
@require_http_methods(FORM_METHODS)
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in, and go where the person was going."""
    if request.user.is_authenticated:
        return redirect(destination(request))
    form = SignInForm(request.POST or None, initial={"next": request.GET.get("next", "")})
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            check_auth(request, "login", form.cleaned_data["email"])
            flows.sign_in(request, **without_next(form))
        except AppError as error:
            refusal = refuse(form, error)
        else:
            return redirect(destination(request))
    return form_page(request, "accounts/sign_in.html", form, refusal)


@never_cache
@sensitive_post_parameters()
@require_http_methods(FORM_METHODS)
def sign_up(request: HttpRequest) -> HttpResponse:
    """Make an account and sign in to it."""
    if request.user.is_authenticated:
        return redirect(destination(request))
    if not settings.REGISTRATION_OPEN:
        return render(request, "accounts/sign_up_closed.html", status=403)
    form = SignUpForm(request.POST or None, initial={"next": request.GET.get("next", "")})
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            check_auth(request, "register", form.cleaned_data["email"])
            user = flows.sign_up(request, **without_next(form))
        except AppError as error:
            refusal = refuse(form, error)
        else:
            return _welcome(request, user)
    return form_page(request, "accounts/sign_up.html", form, refusal)


def _welcome(request: HttpRequest, user: User) -> HttpResponse:
    """Sign the new user in, or say what has to be done first."""
    if flows.must_verify(user):
        text = f"We have sent a mail to {user.email}. Follow its link, then sign in."
        messages.success(request, text)
        return redirect("sign_in")
    browser.begin(request, user)
    messages.success(request, f"Welcome, {user.get_short_name()}.")
    return redirect(destination(request))


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the browser's session."""
    flows.sign_out(request, browser.session_of(request))
    return redirect(settings.LOGOUT_REDIRECT_URL)
