"""Proving that an address is one's own."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts import addresses, links
from accounts.errors import AlreadyVerified, InvalidLink
from accounts.http import UserRequest
from accounts.views.access import signed_in
from accounts.views.forms import FORM_METHODS
from accounts.views.links import invalid_link, link_page, token_of
from hummbl.ratelimit import check_auth


@link_page
@require_http_methods(FORM_METHODS)
def verify(request: HttpRequest) -> HttpResponse:
    """Verify by a button: programs that scan mails follow links, but press nothing."""
    try:
        if request.method == "POST":
            check_auth(request, "verify", "")
            user = addresses.verify(token_of(request))
            messages.success(request, f"{user.email} is verified.")
            return redirect("profile" if request.user == user else "sign_in")
        user = links.verification.user_of(token_of(request))
    except InvalidLink:
        return invalid_link(request, "accounts/verify_invalid.html")
    return render(request, "accounts/verify.html", {"address": user.email})


@signed_in
@require_POST
def verify_send(request: UserRequest) -> HttpResponse:
    """Send a new link."""
    check_auth(request, "verify_send", request.user.email)
    try:
        addresses.send_link(request, request.user)
    except AlreadyVerified as error:
        messages.info(request, error.message)
    else:
        messages.success(request, f"A mail with a link is on its way to {request.user.email}.")
    return redirect("profile")
