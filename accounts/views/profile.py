"""The profile: name, password and sessions."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import browser, flows, sessions
from accounts.forms import PasswordChangeForm, ProfileForm
from accounts.http import UserRequest
from accounts.models import Role
from accounts.views.access import signed_in
from accounts.views.forms import FORM_METHODS, form_page, refuse, status_of
from hummbl.errors import AppError
from hummbl.ratelimit import check_auth

ROLE_TEXTS = {
    Role.ADMIN.value: "You see and manage everything: all workflows, executions and users.",
    Role.USER.value: "You make and run workflows with your own keys, and read what is shared.",
    Role.VIEWER.value: "You read the workflows that are shared, and change nothing.",
}


@signed_in
@require_http_methods(FORM_METHODS)
def profile(request: UserRequest) -> HttpResponse:
    """Who you are, and where you are signed in."""
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Your profile is saved.")
        return redirect("profile")
    current = browser.session_of(request)
    others, has_more = sessions.lately_used(request.user, but=current)
    context = {
        "form": form,
        "role_text": ROLE_TEXTS[request.user.role],
        "current": current,
        "others": others,
        "has_more": has_more,
    }
    return render(request, "accounts/profile.html", context, status=status_of(form))


@signed_in
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
            refusal = refuse(form, error)
        else:
            messages.success(request, "Your password is changed.")
            return redirect("profile")
    return form_page(request, "accounts/password_change.html", form, refusal)


@signed_in
@require_POST
def session_end(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Sign one browser or program out."""
    sessions.end(request.user, pk, by=request.user)
    messages.success(request, "The session has ended.")
    return redirect("profile")


@signed_in
@require_POST
def sessions_end_others(request: UserRequest) -> HttpResponse:
    """Sign everything out but this browser."""
    user = request.user
    ended = sessions.end_all(user, by=user, keep=browser.session_of(request))
    messages.success(request, f"{ended} other session{'' if ended == 1 else 's'} ended.")
    return redirect("profile")
