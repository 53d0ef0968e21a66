"""Runs, their tasks and their events in the Django admin."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from accounts.admin.pages import History, Lines, link_to, link_to_list
from hummbl.errors import AppError
from workflows.admin.json import as_json
from workflows.models import (
    Execution,
    ExecutionEvent,
    SpendEntry,
    TaskResult,
)
from workflows.templatetags.workflows import short_id

# More messages would hide the list below.
MOST_REPORTED = 20


class _TaskLines(Lines):
    model = TaskResult
    fields = readonly_fields = (
        *("task_name", "status", "attempts", "model", "input_tokens", "output_tokens"),
        *("cost", "error"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[TaskResult]:
        """Without the long texts."""
        return super().get_queryset(request).defer("input", "output")


@admin.register(Execution)
class ExecutionAdmin(History):
    """Runs: read-only, but for their cancellation."""

    list_display = (
        *("run", "of", "version_link", "whose", "status", "trigger", "tasks", "ledger", "cost"),
        *("created_at",),
    )
    list_display_links = ("run",)
    list_filter = ("status", "trigger", "created_at")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    search_fields = ("workflow__name", "user__email", "error")
    search_help_text = "Workflow, user, error, or the id of a run, a workflow or a user"
    id_fields = ("pk", "workflow", "user")
    list_select_related = ("workflow", "version", "user")
    inlines = (_TaskLines,)
    fields = (
        *("id", "workflow", "version", "user", "trigger", "status", "error", "sent_input"),
        *("cost", "cost_cap", "input_tokens", "output_tokens", "tasks", "ledger", "events_link"),
        *("parent", "idempotency_key", "cancel_requested_at", "lease_owner"),
        *("created_at", "started_at", "completed_at"),
    )
    readonly_fields = ("id", "sent_input", "tasks", "ledger", "events_link", "lease_owner")
    actions = ("cancel",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Execution]:
        """Without the documents."""
        return super().get_queryset(request).defer("version__definition", "definition", "input")

    @admin.display(description="execution")
    def run(self, execution: Execution) -> str:
        """The end of the id, which tells runs apart."""
        return short_id(execution.pk)

    @admin.display(description="workflow", ordering="workflow__name")
    def of(self, execution: Execution) -> SafeString:
        """What was run."""
        return link_to(execution.workflow)

    @admin.display(description="version")
    def version_link(self, execution: Execution) -> SafeString:
        """Which document of it."""
        return link_to(execution.version, execution.version.number)

    @admin.display(description="user", ordering="user__email")
    def whose(self, execution: Execution) -> SafeString:
        """Who started it, and pays."""
        return link_to(execution.user)

    @admin.display
    def tasks(self, execution: Execution) -> SafeString:
        """Ended tasks of all."""
        text = f"{execution.ended_count} of {execution.task_count}"
        return link_to_list(TaskResult, text, execution=execution.pk)

    @admin.display
    def ledger(self, execution: Execution) -> SafeString:
        """What each call was allowed to cost, and did cost."""
        return link_to_list(SpendEntry, "Calls", execution_id=execution.pk)

    @admin.display(description="events")
    def events_link(self, execution: Execution) -> SafeString:
        """Its history."""
        return link_to_list(ExecutionEvent, execution.last_sequence, execution=execution.pk)

    @admin.display(description="input")
    def sent_input(self, execution: Execution) -> SafeString:
        """What it was started with."""
        return as_json(execution.input)

    def view_on_site(self, execution: Execution) -> str:
        """Our page of it."""
        return reverse("execution_detail", args=[execution.pk])

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Who may enter here may cancel."""
        return self.has_view_permission(request)

    @admin.action(description="Cancel selected executions", permissions=["cancel"])
    def cancel(self, request: HttpRequest, executions: QuerySet[Execution]) -> None:
        """Ask for the end of each, and say of each what became of that."""
        reports = [_cancelled(execution, request.user) for execution in executions]
        for text, level in reports[:MOST_REPORTED]:
            self.message_user(request, text, level)
        if len(reports) > MOST_REPORTED:
            done = sum(level == messages.SUCCESS for _, level in reports)
            text = f"In all {done} of {len(reports)} executions are being cancelled."
            self.message_user(request, text, messages.INFO)


def _cancelled(execution: Execution, by: Any) -> tuple[str, int]:
    """Cancel it; the report and its level."""
    name = f"{execution.workflow} ({short_id(execution.pk)})"
    try:
        execution.cancel(by=by)
    except AppError as error:
        return f"{name}: {error.message}", messages.WARNING
    return f"{name}: is being cancelled.", messages.SUCCESS


class _OfExecution(History):
    """Rows that belong to a run."""

    list_select_related = ("execution__workflow",)
    search_help_text = "Also the id of a run"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without what is long about the run."""
        rows = super().get_queryset(request)
        return rows.defer("execution__definition", "execution__input", "execution__error")

    @admin.display(description="execution")
    def of(self, row: Any) -> SafeString:
        """The run."""
        text = f"{row.execution.workflow} ({short_id(row.execution_id)})"
        return link_to(row.execution, text)


@admin.register(TaskResult)
class TaskResultAdmin(_OfExecution):
    """What became of each task."""

    list_display = (
        *("task_name", "of", "status", "attempts", "model", "cost", "created_at", "completed_at"),
    )
    list_filter = ("status",)
    date_hierarchy = "created_at"
    ordering = ("-id",)
    search_fields = ("task_name", "task_id", "model", "error_code")
    id_fields = ("pk", "execution")
    raw_id_fields = ("execution", "reused_from")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TaskResult]:
        """Without the long texts, which only the page of one shows."""
        return super().get_queryset(request).defer("input", "output")

    def view_on_site(self, task: TaskResult) -> str:
        """It, open on the page of its run."""
        page = reverse("execution_detail", args=[task.execution_id])
        return f"{page}?task={task.task_id}"


@admin.register(ExecutionEvent)
class ExecutionEventAdmin(_OfExecution):
    """What the live stream replays."""

    list_display = ("sequence", "type", "of", "at")
    list_filter = ("type",)
    search_fields = ("type",)
    id_fields = ("pk", "execution")
    ordering = ("-id",)
    fields = ("execution", "sequence", "type", "at", "what")
    readonly_fields = ("what",)

    @admin.display(description="data")
    def what(self, event: ExecutionEvent) -> SafeString:
        """What it says."""
        return as_json(event.data)

    def view_on_site(self, event: ExecutionEvent) -> str:
        """The page of its run."""
        return reverse("execution_detail", args=[event.execution_id])
