"""The account pages. What they do is in `accounts.flows`, which the API calls too."""

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import BaseForm, Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import browser, flows
from accounts.forms import PasswordChangeForm, ProfileForm, SignInForm, SignUpForm
from accounts.http import UserRequest
from accounts.models import Role
from hummbl.errors import AppError
from hummbl.ratelimit import check_auth

ROLE_TEXTS = {
    Role.ADMIN.value: "You see and manage everything: all workflows, executions and users.",
    Role.USER.value: "You make and run workflows with your own keys, and read what is shared.",
    Role.VIEWER.value: "You read the workflows that are shared, and change nothing.",
}
FORM_METHODS = ["GET", "HEAD", "POST"]
SESSIONS_SHOWN = 50


@never_cache
@sensitive_post_parameters()
@require_http_methods(FORM_METHODS)
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in, and go where the person was going."""
    if request.user.is_authenticated:
        return redirect(_destination(request))
    form = SignInForm(request.POST or None, initial={"next": request.GET.get("next", "")})
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            check_auth(request, "login", form.cleaned_data["email"])
            flows.sign_in(request, **_without_next(form))
        except AppError as error:
            refusal = _refuse(form, error)
        else:
            return redirect(_destination(request))
    return _form_page(request, "accounts/sign_in.html", form, refusal)


@never_cache
@sensitive_post_parameters()
@require_http_methods(FORM_METHODS)
def sign_up(request: HttpRequest) -> HttpResponse:
    """Make an account and sign in to it."""
    if request.user.is_authenticated:
        return redirect(_destination(request))
    if not settings.REGISTRATION_OPEN:
        return render(request, "accounts/sign_up_closed.html", status=403)
    form = SignUpForm(request.POST or None, initial={"next": request.GET.get("next", "")})
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            check_auth(request, "register", form.cleaned_data["email"])
            user = flows.sign_up(**_without_next(form))
        except AppError as error:
            refusal = _refuse(form, error)
        else:
            browser.begin(request, user)
            messages.success(request, f"Welcome, {user.get_short_name()}.")
            return redirect(_destination(request))
    return _form_page(request, "accounts/sign_up.html", form, refusal)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the browser's session."""
    flows.sign_out(request, browser.session_of(request))
    return redirect(settings.LOGOUT_REDIRECT_URL)


@login_required
@require_http_methods(FORM_METHODS)
def profile(request: UserRequest) -> HttpResponse:
    """Who you are, and where you are signed in."""
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Your profile is saved.")
        return redirect("profile")
    context = {
        "form": form,
        "role_text": ROLE_TEXTS[request.user.role],
        **_sessions(request),
    }
    return render(request, "accounts/profile.html", context, status=_status(form))


def _sessions(request: UserRequest) -> dict[str, Any]:
    """The one in use, and of the others those used last."""
    current = browser.session_of(request)
    others = request.user.sessions.alive().other_than(current).order_by("-last_used_at", "-id")
    found = list(others[: SESSIONS_SHOWN + 1])
    return {
        "current": current,
        "others": found[:SESSIONS_SHOWN],
        "has_more": len(found) > SESSIONS_SHOWN,
    }


@login_required
@never_cache
@sensitive_post_parameters()
@require_http_methods(FORM_METHODS)
def password_change(request: UserRequest) -> HttpResponse:
    """Change the password; this browser stays signed in, everything else is signed out."""
    form = PasswordChangeForm(request.POST or None)
    refusal = None
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            check_auth(request, "password", request.user.email)
            flows.change_password(
                request.user,
                current=data["current_password"],
                new=data["new_password"],
                keep=browser.session_of(request),
                request=request,
            )
        except AppError as error:
            refusal = _refuse(form, error)
        else:
            messages.success(request, "Your password is changed.")
            return redirect("profile")
    return _form_page(request, "accounts/password_change.html", form, refusal)


@login_required
@require_POST
def session_end(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Sign one browser or program out."""
    flows.end_session(request.user, pk)
    messages.success(request, "The session has ended.")
    return redirect("profile")


@login_required
@require_POST
def sessions_end_others(request: UserRequest) -> HttpResponse:
    """Sign everything out but this browser."""
    ended = flows.end_other_sessions(request.user, browser.session_of(request))
    messages.success(request, f"{ended} other session{'' if ended == 1 else 's'} ended.")
    return redirect("profile")


def _without_next(form: Form) -> dict[str, str]:
    return {name: value for name, value in form.cleaned_data.items() if name != "next"}


def _destination(request: HttpRequest) -> str:
    """Where `next` points, if that is a page of ours; else the dashboard."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return url if safe else resolve_url(settings.LOGIN_REDIRECT_URL)


def _refuse(form: Form, error: AppError) -> AppError:
    """Put what a flow said on the form: beside the fields that it names, else above them."""
    named = [found for found in error.details.get("errors", []) if found["path"] in form.fields]
    for found in named:
        form.add_error(found["path"], found["message"])
    if not named:
        form.add_error("email" if error.error_code == "email_taken" else None, error.message)
    return error


def _status(form: BaseForm) -> int:
    return 422 if form.errors else 200


def _form_page(
    request: HttpRequest, template: str, form: Form, refusal: AppError | None
) -> HttpResponse:
    context = {
        "form": form,
        "next": request.POST.get("next") or request.GET.get("next") or "",
        "registration_open": settings.REGISTRATION_OPEN,
    }
    status = refusal.status_code if refusal else _status(form)
    response = render(request, template, context, status=status)
    for name, value in (refusal.headers if refusal else {}).items():
        response[name] = value
    return response
