"""Provider keys in the Django admin."""

from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from accounts.admin.pages import MadeElsewhere, link_to
from accounts.models import User
from workflows.models import (
    ApiKey,
)


@admin.register(ApiKey)
class ApiKeyAdmin(MadeElsewhere):
    """Keys by their last four characters: to stop and to delete, never to read."""

    list_display = (
        *("name", "provider", "whose", "masked", "is_active", "last_used_at", "created_at"),
    )
    list_filter = ("provider", "is_active", "last_used_at")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    search_fields = ("name", "user__email")
    id_fields = ("pk", "user")
    list_select_related = ("user",)
    fields = (
        *("name", "provider", "user", "masked", "base_url", "is_active"),
        *("last_used_at", "created_at", "updated_at"),
    )
    readonly_fields = tuple(name for name in fields if name != "is_active")
    noted_fields = ("is_active",)
    notes_deletion = True

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """As the pages do it."""
        obj.set_active(obj.is_active, by=cast("User", request.user))

    def delete_model(self, request: HttpRequest, obj: ApiKey) -> None:
        """As the pages do it."""
        obj.delete(by=cast("User", request.user))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """One by one, so that the audit log names each."""
        for key in queryset:
            self.delete_model(request, key)

    @admin.display(description="user", ordering="user__email")
    def whose(self, key: ApiKey) -> SafeString:
        """Whose runs it pays."""
        return link_to(key.user)

    @admin.display(description="key")
    def masked(self, key: ApiKey) -> str:
        """All that is ever shown of a key."""
        return f"•••• {key.last_four}"

    def view_on_site(self, key: ApiKey) -> str:
        """Our list of keys."""
        return reverse("key_list")
