"""Changing the address."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import addresses
from accounts.forms import EmailChangeForm
from accounts.http import UserRequest
from accounts.views.access import signed_in
from accounts.views.forms import FORM_METHODS, form_page, refuse
from accounts.views.reauthenticate import recent_sign_in
from hummbl.errors import AppError
from hummbl.ratelimit import check_auth


@never_cache
@signed_in
@recent_sign_in
@require_http_methods(FORM_METHODS)
def email_change(request: UserRequest) -> HttpResponse:
    """Take another address, which a mail then asks to verify."""
    form = EmailChangeForm(request.POST or None)
    refusal = None
    if request.method == "POST" and form.is_valid():
        user = request.user
        try:
            # By the user and not by the address, which may be another one each time.
            check_auth(request, "email", str(user.pk))
            addresses.change(request, user, form.cleaned_data["email"])
        except AppError as error:
            refusal = refuse(form, error)
        else:
            messages.success(request, f"Your address is {user.email} now.")
            return redirect("profile")
    return form_page(request, "accounts/email_change.html", form, refusal)
