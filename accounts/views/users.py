"""The administrators' pages of users: who there is, what they may do, where they are signed in."""

import uuid
from typing import Any, Final

from django import forms
from django.contrib import auth, messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts import browser, holdings, sessions, users
from accounts.errors import LastAdmin
from accounts.http import UserRequest
from accounts.models import AuditEntry, Role, User
from accounts.views.access import admins_only
from accounts.views.reauthenticate import recent_sign_in
from hummbl.lists import MAX_SEARCH, list_page, sliced

ROLE_TEXTS: Final = {
    Role.ADMIN.value: "Sees and manages everything: all workflows, executions and users.",
    Role.USER.value: "Makes and runs workflows with keys of their own, and reads what is shared.",
    Role.VIEWER.value: "Reads the workflows that are shared, and changes nothing.",
}
ENTRIES_SHOWN: Final = 8


class UserFilterForm(forms.Form):
    """What the address asks for. A part that makes no sense is left out, not refused."""

    search = forms.CharField(required=False, max_length=MAX_SEARCH)
    role = forms.ChoiceField(required=False, choices=[("", "Any role"), *Role.choices])
    is_active = forms.ChoiceField(
        required=False,
        choices=[("", "Active or not"), ("true", "Active"), ("false", "Deactivated")],
    )

    def users(self) -> Any:
        """The users asked for."""
        self.full_clean()
        given = self.cleaned_data
        active = given.get("is_active")
        return users.find(
            search=given.get("search", ""),
            role=given.get("role", ""),
            is_active=active == "true" if active else None,
        )

    @property
    def narrows(self) -> bool:
        """Whether any user may be left out."""
        return any(self.cleaned_data.values())


@admins_only
@vary_on_headers("HX-Request")
@require_safe
def manage_users(request: UserRequest) -> HttpResponse:
    """Everybody who has an account; an htmx request gets the table alone."""
    form = UserFilterForm(request.GET)
    page = sliced(form.users(), request.GET.get("cursor", ""))
    counts = sessions.count_of([user.pk for user in page.rows])
    context = {
        "slice": page,
        "rows": [(user, counts[user.pk]) for user in page.rows],
        "filtered": form.narrows,
        "form": form,
    }
    return list_page(request, "accounts/manage_users.html", "accounts/_manage_users.html", context)


@admins_only
@never_cache
@require_safe
def manage_user(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """One user, and what can be done about them."""
    user = get_object_or_404(User, pk=pk)
    shown, has_more = sessions.lately_used(user)
    context = {
        "person": user,
        "is_you": user.pk == request.user.pk,
        "last_admin": LastAdmin().message if users.is_last_admin(user) else "",
        "roles": [(role, label, ROLE_TEXTS[role]) for role, label in Role.choices],
        "sessions": shown,
        "has_more": has_more,
        "current": browser.session_of(request),
        "holdings": holdings.of(user),
        "tokens": user.access_tokens.alive().count() if user.is_active else 0,
        "entries": _lately(user),
    }
    return render(request, "accounts/manage_user.html", context)


def _lately(user: User) -> list[AuditEntry]:
    """What was last done by the user, and to the user."""
    found: dict[uuid.UUID, AuditEntry] = {}
    for name in ("actor_id", "object_id"):
        entries = AuditEntry.objects.filter(**{name: user.pk}).order_by("-id")
        found |= {entry.pk: entry for entry in entries[:ENTRIES_SHOWN]}
    return [found[pk] for pk in sorted(found, reverse=True)[:ENTRIES_SHOWN]]


@admins_only
@require_POST
@recent_sign_in
def manage_user_role(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Give another role."""
    user = get_object_or_404(User, pk=pk)
    role = request.POST.get("role", "")
    if role not in Role.values:
        messages.error(request, "Choose one of the roles.")
        return redirect("manage_user", pk)
    users.change_role(user, role, by=request.user)
    messages.success(request, f"{user.get_full_name()} is now {_article(user)}.")
    return _back(request, user)


@admins_only
@require_POST
@recent_sign_in
def manage_user_activity(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Let the user sign in no more, or again."""
    user = get_object_or_404(User, pk=pk)
    active = request.POST.get("active") == "true"
    users.change(user, by=request.user, is_active=active)
    verb = "may sign in again" if active else "is deactivated and signed out everywhere"
    return _signed_out(request, user, f"{user.get_full_name()} {verb}.")


@admins_only
@require_POST
@recent_sign_in
def manage_user_sessions_end(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Sign the user out everywhere."""
    user = get_object_or_404(User, pk=pk)
    ended = sessions.end_all(user, by=request.user)
    said = f"{ended} session{'' if ended == 1 else 's'} of {user.get_full_name()} ended."
    return _signed_out(request, user, said)


@admins_only
@require_POST
@recent_sign_in
def manage_user_session_end(
    request: UserRequest, pk: uuid.UUID, session: uuid.UUID
) -> HttpResponse:
    """Sign one browser or program of the user out."""
    user = get_object_or_404(User, pk=pk)
    sessions.end(user, session, by=request.user)
    messages.success(request, "The session has ended.")
    return redirect("manage_user", pk)


def _article(user: User) -> str:
    label = user.get_role_display().lower()
    return f"{'an' if label[0] in 'aeio' else 'a'} {label}"


def _signed_out(request: UserRequest, user: User, said: str) -> HttpResponse:
    """Back to the user; to the sign-in page who has just signed themselves out."""
    is_you = user.pk == request.user.pk
    if is_you:
        auth.logout(request)
    messages.success(request, said)
    return redirect("sign_in") if is_you else redirect("manage_user", user.pk)


def _back(request: UserRequest, user: User) -> HttpResponse:
    """Back to the user; to the dashboard who has just demoted themselves."""
    demoted = user.pk == request.user.pk and user.role != Role.ADMIN
    return redirect("dashboard") if demoted else redirect("manage_user", user.pk)
