"""Setting a new password without the old one."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts import links, resets
from accounts.errors import InvalidLink
from accounts.forms import NewPasswordForm, ResetForm
from accounts.views.forms import FORM_METHODS, form_page, refuse
from accounts.views.links import invalid_link, link_page, token_of
from hummbl.errors import AppError
from hummbl.ratelimit import check_auth


@never_cache
@require_http_methods(FORM_METHODS)
def reset(request: HttpRequest) -> HttpResponse:
    """Ask for a link."""
    known = request.user.email if request.user.is_authenticated else ""
    form = ResetForm(request.POST or None, initial={"email": known})
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            check_auth(request, "reset", form.cleaned_data["email"])
            resets.ask(request, form.cleaned_data["email"])
        except AppError as error:
            refusal = refuse(form, error)
        else:
            return redirect("reset_sent")
    return form_page(request, "accounts/reset.html", form, refusal)


@require_safe
def reset_sent(request: HttpRequest) -> HttpResponse:
    """Check your inbox: said of every address alike."""
    return render(request, "accounts/reset_sent.html", {"asked": resets.ASKED})


@link_page
@sensitive_post_parameters()
@require_http_methods(FORM_METHODS)
def reset_confirm(request: HttpRequest) -> HttpResponse:
    """Choose the new password."""
    form = NewPasswordForm(request.POST or None)
    refusal = None
    try:
        user = links.reset.user_of(token_of(request))
        if request.method == "POST" and form.is_valid():
            check_auth(request, "reset_confirm", "")
            resets.confirm(request, token_of(request), form.cleaned_data["new_password"])
            messages.success(request, "Your new password is set. Sign in with it.")
            return redirect("sign_in")
    except InvalidLink:
        return invalid_link(request, "accounts/reset_invalid.html")
    except AppError as error:
        refusal = refuse(form, error)
    return form_page(request, "accounts/reset_confirm.html", form, refusal, address=user.email)
