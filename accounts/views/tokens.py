"""The user's personal access tokens: what programs use in their name."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import tokens
from accounts.forms import AccessTokenForm
from accounts.http import UserRequest
from accounts.views.access import signed_in
from accounts.views.forms import FORM_METHODS, form_page, refuse
from accounts.views.reauthenticate import recent_sign_in
from hummbl.errors import AppError


@signed_in
@require_safe
def token_list(request: UserRequest) -> HttpResponse:
    """All of them on one page: there are at most 50."""
    context = {
        "tokens": request.user.access_tokens.all(),
        "address": _example(request),
    }
    return render(request, "accounts/token_list.html", context)


@never_cache
@signed_in
@recent_sign_in
@require_http_methods(FORM_METHODS)
def token_create(request: UserRequest) -> HttpResponse:
    """Make a token. Its secret is in the answer to the form, and nowhere after that.

    The answer is no redirect, which would have to keep the secret meanwhile. Sent again, the form
    is refused, because its name is taken.
    """
    form = AccessTokenForm(request.POST or None, user=request.user)
    refusal = None
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            token, secret = tokens.create_token(
                request.user,
                name=given["name"],
                scopes=given["scopes"],
                expires_at=form.expires_at,
            )
        except AppError as error:
            refusal = refuse(form, error)
        else:
            context = {"token": token, "secret": secret, "address": _example(request)}
            return render(request, "accounts/token_created.html", context, status=201)
    return form_page(request, "accounts/token_form.html", form, refusal)


@signed_in
@require_POST
def token_delete(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """Delete a token. It takes no recent sign-in: whoever finds one leaked should be quick."""
    token = tokens.delete_token(request.user, pk)
    messages.success(request, f"The access token “{token.name}” was deleted.")
    return redirect("token_list")


def _example(request: UserRequest) -> str:
    """Something to ask for that everyone may read."""
    return request.build_absolute_uri("/api/workflows")
