"""Access tokens in the Django admin. Their secrets are nowhere to be shown."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts import tokens
from accounts.admin.pages import MadeElsewhere, link_to
from accounts.models import AccessToken


@admin.register(AccessToken)
class AccessTokenAdmin(MadeElsewhere):
    """Which programs may act for whom: to look at and to delete."""

    notes_deletion = True

    fields = ("user", "name", "scope", "created_at", "last_used_at", "expires_at")
    list_display = ("name", "whose", "scope", "created_at", "last_used_at", "expires_at")
    list_filter = ("last_used_at", "expires_at")
    list_select_related = ("user",)
    date_hierarchy = "created_at"
    ordering = ("-id",)
    search_fields = ("name", "user__email")

    def has_change_permission(self, request: HttpRequest, obj: AccessToken | None = None) -> bool:
        """There is nothing to change about one."""
        return False

    def delete_model(self, request: HttpRequest, obj: AccessToken) -> None:
        """As its owner does it."""
        tokens.remove(obj, by=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[AccessToken]) -> None:
        """One by one, so that the audit log names each."""
        for token in queryset:
            tokens.remove(token, by=request.user)

    @admin.display(description="user", ordering="user__email")
    def whose(self, token: AccessToken) -> SafeString:
        """The user."""
        return link_to(token.user)
