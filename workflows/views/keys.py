"""The user's provider keys. The secret only ever goes in."""

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import browser
from accounts.http import UserRequest
from accounts.models import User
from accounts.reauthentication import require_recent
from accounts.views.access import signed_in
from accounts.views.reauthenticate import asks_for_password
from hummbl.errors import AppError
from hummbl.ratelimit import check_execute
from workflows.access import require_writer
from workflows.forms import KeyChangeForm, KeyForm
from workflows.models import ApiKey

METHODS = ["GET", "HEAD", "POST"]


@sensitive_post_parameters("key")
@signed_in
@never_cache
@require_http_methods(METHODS)
@asks_for_password
def key_list(request: UserRequest) -> HttpResponse:
    """The keys, and a form to add one."""
    form = KeyForm(request.POST or None)
    if request.method == "POST":
        require_writer(request.user)
        require_recent(browser.session_of(request))
        if form.is_valid() and _stored(request, form):
            return redirect("key_list")
    keys = ApiKey.objects.visible_to(request.user).select_related("user")
    context = {
        "form": form,
        "mine": [key for key in keys if key.user_id == request.user.pk],
        "others": [key for key in keys if key.user_id != request.user.pk],
    }
    return render(request, "workflows/key_list.html", context, status=422 if form.errors else 200)


def _stored(request: UserRequest, form: KeyForm) -> bool:
    try:
        key = form.save(request.user)
    except AppError as error:
        form.add_error(None, error.message)
        return False
    messages.success(request, f"The key “{key.name}” was stored.")
    return True


@sensitive_post_parameters("key")
@signed_in
@never_cache
@require_http_methods(METHODS)
@asks_for_password
def key_edit(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Rename a key or put another secret in its place."""
    key = _visible_key(request.user, pk)
    if key.user_id != request.user.pk or not request.user.can_write:
        # An admin may stop another's key, not put a secret of their own behind its name.
        raise PermissionDenied
    require_recent(browser.session_of(request))
    form = KeyChangeForm(request.POST or None, instance=key)
    if request.method == "POST" and form.is_valid() and _changed(request, form):
        return redirect("key_list")
    context = {"form": form, "key": key}
    return render(request, "workflows/key_edit.html", context, status=422 if form.errors else 200)


def _changed(request: UserRequest, form: KeyChangeForm) -> bool:
    try:
        form.save(request.user)
    except AppError as error:
        form.add_error(None, error.message)
        form.instance.refresh_from_db()
        return False
    messages.success(request, "The key was changed.")
    return True


@signed_in
@never_cache
@require_POST
def key_test(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask the provider whether one's own key works; the answer stands below the key."""
    key = _visible_key(request.user, pk)
    require_writer(request.user)
    if key.user_id != request.user.pk:
        raise PermissionDenied
    check_execute(request, request.user)
    check = key.test()
    if request.htmx:
        return render(request, "workflows/_key_check.html", {"check": check})
    say = messages.success if check.ok else messages.error
    say(request, f"“{key.name}”: {check.message}")
    return redirect("key_list")


@signed_in
@require_POST
@asks_for_password
def key_toggle(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Stop the use of a key, or allow it again. An admin may only stop another's."""
    key = _visible_key(request.user, pk)
    require_writer(request.user)
    active = request.POST.get("active") == "true"
    if active and key.user_id != request.user.pk:
        raise PermissionDenied
    require_recent(browser.session_of(request))
    key.set_active(active, by=request.user)
    verb = "in use again" if active else "no longer used"
    messages.success(request, f"The key “{key.name}” is {verb}.")
    return redirect("key_list")


@signed_in
@require_POST
@asks_for_password
def key_delete(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Delete a key for good."""
    key = _visible_key(request.user, pk)
    require_writer(request.user)
    require_recent(browser.session_of(request))
    key.delete(by=request.user)
    messages.success(request, f"The key “{key.name}” was deleted.")
    return redirect("key_list")


def _visible_key(user: User, pk: uuid.UUID) -> ApiKey:
    return get_object_or_404(ApiKey.objects.visible_to(user), pk=pk)
