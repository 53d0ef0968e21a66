"""Sessions in the Django admin."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts import sessions
from accounts.admin.pages import MadeElsewhere, link_to
from accounts.models import Session


@admin.register(Session)
class SessionAdmin(MadeElsewhere):
    """Which browsers and programs are signed in: to look at and to end."""

    notes_deletion = True

    fields = (
        *("user", "kind", "device", "user_agent", "ip"),
        *("created_at", "last_used_at", "expires_at"),
    )
    list_display = (*("device", "kind", "whose", "ip", "created_at", "last_used_at", "expires_at"),)
    list_filter = ("kind", "last_used_at")
    list_select_related = ("user",)
    date_hierarchy = "created_at"
    ordering = ("-id",)
    search_fields = ("user__email", "user_agent", "ip")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        """Those that have not expired."""
        return super().get_queryset(request).alive()  # type: ignore[attr-defined,no-any-return]

    def has_change_permission(self, request: HttpRequest, obj: Session | None = None) -> bool:
        """There is nothing to change about one."""
        return False

    def delete_model(self, request: HttpRequest, obj: Session) -> None:
        """As on the user's page."""
        sessions.end(obj.user, obj.pk, by=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        """One by one, so that the audit log names each."""
        for session in queryset.select_related("user"):
            sessions.end(session.user, session.pk, by=request.user)

    @admin.display(description="user", ordering="user__email")
    def whose(self, session: Session) -> SafeString:
        """The user."""
        return link_to(session.user)
