"""Workflows in the Django admin: to look at, to pause and to delete; history is read-only.

Documents change only through the pages and the API, where the definition is validated and a new
version is made.
"""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hummbl.errors import Conflict
from workflows.models import (
    ApiKey,
    Execution,
    ExecutionEvent,
    SpendEntry,
    TaskResult,
    Worker,
    Workflow,
    WorkflowVersion,
)
from workflows.templatetags.workflows import pretty_json


class _NoAdding(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Rows that come into being elsewhere."""

    list_per_page = 50
    # Counting a history of millions for the line below a filtered list costs more than it tells.
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Made by the pages, the API or the engine."""
        return False


class _History(_NoAdding):
    """Rows that nobody changes or deletes by hand."""

    actions = None

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """What happened, happened."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """It goes with what it belongs to."""
        return False


class _VersionInline(admin.TabularInline):  # type: ignore[type-arg]
    model = WorkflowVersion
    fk_name = "workflow"
    fields = readonly_fields = ("number", "created_by", "created_at")
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A version comes from a save of the document."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Versions are immutable."""
        return False


@admin.register(Workflow)
class WorkflowAdmin(_NoAdding):
    """Name, state and sharing; the document is shown on its version."""

    list_display = ("name", "owner", "status", "is_shared", "current_version", "updated_at")
    list_filter = ("status", "is_shared")
    search_fields = ("name", "description", "owner__email")
    list_select_related = ("owner", "current_version")
    fields = (
        *("name", "description", "owner", "status", "is_shared", "cost_cap"),
        *("current_version", "created_at", "updated_at"),
    )
    readonly_fields = ("owner", "current_version", "created_at", "updated_at")
    inlines = (_VersionInline,)
    # Each deletion asks whether a run is under way; the action of the list would not.
    actions = None

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Delete, or say why not."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except Conflict as error:
            self.message_user(request, error.message, messages.ERROR)
            return self.response_post_save_change(request, self.get_object(request, object_id))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes with a workflow, history included: the permission is the workflow's."""
        deleted, counts, _, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, set(), protected


@admin.register(WorkflowVersion)
class WorkflowVersionAdmin(_History):
    """The documents, immutable."""

    list_display = ("workflow", "number", "created_by", "created_at")
    search_fields = ("workflow__name",)
    list_select_related = ("workflow", "created_by")
    fields = ("workflow", "number", "created_by", "created_at", "document")
    readonly_fields = ("document",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[WorkflowVersion]:
        """Without the documents, which only the page of one shows."""
        return super().get_queryset(request).defer("definition")

    @admin.display
    def document(self, version: WorkflowVersion) -> SafeString:
        """The document with line breaks."""
        return _pre(version.definition)


class _TaskInline(admin.TabularInline):  # type: ignore[type-arg]
    model = TaskResult
    fields = readonly_fields = (
        *("task_name", "status", "attempts", "model", "input_tokens", "output_tokens"),
        *("cost", "error"),
    )
    extra = 0
    can_delete = False
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[TaskResult]:
        """Without the long texts."""
        return super().get_queryset(request).defer("input", "output")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The engine makes them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The engine writes them."""
        return False


@admin.register(Execution)
class ExecutionAdmin(_History):
    """Runs."""

    list_display = (
        *("id", "workflow", "user", "status", "trigger", "ended_count", "task_count"),
        *("cost", "created_at"),
    )
    list_filter = ("status", "trigger", "created_at")
    search_fields = ("id", "workflow__name", "user__email")
    list_select_related = ("workflow", "user")
    inlines = (_TaskInline,)
    exclude = ("idempotency_digest",)


@admin.register(TaskResult)
class TaskResultAdmin(_History):
    """What became of each task."""

    list_display = ("task_name", "execution", "status", "attempts", "model", "cost", "completed_at")
    list_filter = ("status", "error_code")
    search_fields = ("task_name", "task_id", "execution__id")
    list_select_related = ("execution",)
    raw_id_fields = ("execution", "reused_from")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TaskResult]:
        """Without the long texts, which only the page of one shows."""
        return super().get_queryset(request).defer("input", "output")


@admin.register(ExecutionEvent)
class ExecutionEventAdmin(_History):
    """What the live stream replays."""

    list_display = ("execution", "sequence", "type", "at")
    list_filter = ("type",)
    search_fields = ("execution__id",)
    list_select_related = ("execution",)
    ordering = ("-at",)


@admin.register(Worker)
class WorkerAdmin(_History):
    """Who runs executions, or ran them and died."""

    list_display = ("name", "version", "executions", "seen_at", "created_at")
    ordering = ("-seen_at",)


@admin.register(SpendEntry)
class SpendEntryAdmin(_History):
    """The ledger."""

    list_display = (
        *("at", "user", "workflow_label", "task_id", "attempt", "provider", "model"),
        *("reserved", "settled"),
    )
    list_filter = ("provider", "at")
    search_fields = ("workflow_label", "task_id", "model", "user__email", "execution_id")
    list_select_related = ("user",)


@admin.register(ApiKey)
class ApiKeyAdmin(_NoAdding):
    """Keys by their last four characters: to stop and to delete, never to read."""

    list_display = ("name", "provider", "user", "masked", "is_active", "last_used_at", "created_at")
    list_filter = ("provider", "is_active")
    search_fields = ("name", "user__email")
    list_select_related = ("user",)
    fields = (
        *("name", "provider", "user", "masked", "base_url", "is_active"),
        *("last_used_at", "created_at", "updated_at"),
    )
    readonly_fields = tuple(name for name in fields if name != "is_active")

    @admin.display(description="key")
    def masked(self, key: ApiKey) -> str:
        """All that is ever shown of a key."""
        return f"•••• {key.last_four}"


def _pre(value: Any) -> SafeString:
    return format_html("<pre>{}</pre>", pretty_json(value))
