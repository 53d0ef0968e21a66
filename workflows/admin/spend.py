"""The ledger in the Django admin."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.admin.pages import History, link_to, link_to_list
from workflows.models import (
    Execution,
    SpendEntry,
)
from workflows.templatetags.workflows import PROVIDER_NAMES


class _ProviderFilter(admin.SimpleListFilter):
    """The providers there are, without asking the whole ledger which occur."""

    title = "provider"
    parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Their names."""
        return list(PROVIDER_NAMES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The calls of the chosen one."""
        return queryset.filter(provider=self.value()) if self.value() else queryset


@admin.register(SpendEntry)
class SpendEntryAdmin(History):
    """The ledger."""

    list_display = (
        *("at", "whose", "of", "task_id", "attempt", "provider", "model"),
        *("calls", "reserved", "settled"),
    )
    list_filter = (_ProviderFilter, "at")
    date_hierarchy = "at"
    ordering = ("-id",)
    search_fields = ("workflow_label", "task_id", "model", "user__email")
    search_help_text = "Workflow, task, model, user, or the id of a run or a user"
    id_fields = ("pk", "execution_id", "user")
    list_select_related = ("user",)

    @admin.display(description="user")
    def whose(self, entry: SpendEntry) -> SafeString | str:
        """Who paid; the ledger outlives its users."""
        return link_to(entry.user) if entry.user else "–"

    @admin.display(description="workflow", ordering="workflow_label")
    def of(self, entry: SpendEntry) -> SafeString:
        """The run that made the call, which may be gone: hence a search and no page."""
        return link_to_list(Execution, entry.workflow_label, id=entry.execution_id)
