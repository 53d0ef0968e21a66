"""The Django admin site, for the role admin alone."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from accounts import browser, flows


class AdminSite(admin.AdminSite):
    """Signs nobody in itself: our pages do, with their rate limit and their session rules.

    Who may enter is Django's own rule, an active user with `is_staff`, which follows the role.
    """

    site_header = "HUMMBL administration"
    site_title = "HUMMBL administration"
    index_title = "Everything in the database"

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """To the sign-in page and back. Raises PermissionDenied for another role."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied
        wanted = request.GET.get("next") or reverse("admin:index")
        return redirect(f"{reverse('sign_in')}?{urlencode({'next': wanted})}")

    @method_decorator(require_POST)
    def logout(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """As our own button does it, so that the session's row ends too."""
        flows.sign_out(request, browser.session_of(request))
        return redirect(settings.LOGOUT_REDIRECT_URL)

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """To our own page, which ends the other sessions too."""
        return redirect("password_change")
