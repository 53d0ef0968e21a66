"""Workflows and their versions in the Django admin."""

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from accounts.admin.pages import History, Lines, MadeElsewhere, link_to, link_to_list
from accounts.models import User
from hummbl.errors import Conflict
from workflows.admin.json import as_json
from workflows.models import (
    Execution,
    Workflow,
    WorkflowVersion,
)


class _VersionLines(Lines):
    model = WorkflowVersion
    fk_name = "workflow"
    fields = readonly_fields = ("number", "created_by", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[WorkflowVersion]:
        """Without the documents."""
        return super().get_queryset(request).select_related("created_by").defer("definition")


@admin.register(Workflow)
class WorkflowAdmin(MadeElsewhere):
    """Name, state and sharing; the document is shown on its version."""

    list_display = (
        *("name", "whose", "status", "is_shared", "version", "runs", "created_at", "updated_at"),
    )
    list_filter = ("status", "is_shared", "updated_at")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    search_fields = ("name", "description", "owner__email")
    list_select_related = ("owner", "current_version")
    fields = (
        *("name", "description", "owner", "status", "is_shared", "cost_cap"),
        *("current_version", "runs", "created_at", "updated_at"),
    )
    readonly_fields = ("owner", "current_version", "runs", "created_at", "updated_at")
    inlines = (_VersionLines,)
    # Each deletion asks whether a run is under way; the action of the list would not.
    actions = None
    noted_fields = fields
    notes_deletion = True

    def save_model(self, request: HttpRequest, obj: Workflow, form: Any, change: bool) -> None:
        """As the pages do it."""
        changed = {name: form.cleaned_data[name] for name in form.changed_data}
        obj.change(changed, by=cast("User", request.user))

    def delete_model(self, request: HttpRequest, obj: Workflow) -> None:
        """As the pages do it. Raises Conflict."""
        obj.delete(by=cast("User", request.user))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workflow]:
        """Without the documents."""
        return super().get_queryset(request).defer("current_version__definition")

    @admin.display(description="owner", ordering="owner__email")
    def whose(self, workflow: Workflow) -> SafeString:
        """The owner."""
        return link_to(workflow.owner)

    @admin.display(description="current version")
    def version(self, workflow: Workflow) -> SafeString | str:
        """The document."""
        current = workflow.current_version
        return link_to(current) if current else "–"

    @admin.display
    def runs(self, workflow: Workflow) -> SafeString:
        """Its executions."""
        return link_to_list(Execution, "Executions", workflow=workflow.pk)

    def view_on_site(self, workflow: Workflow) -> str:
        """Our page of it."""
        return reverse("workflow_detail", args=[workflow.pk])

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
class WorkflowVersionAdmin(History):
    """The documents, immutable."""

    list_display = ("__str__", "of", "by", "runs", "created_at")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    search_fields = ("workflow__name", "created_by__email")
    id_fields = ("pk", "workflow")
    list_select_related = ("workflow", "created_by")
    fields = ("workflow", "number", "created_by", "created_at", "runs", "document")
    readonly_fields = ("runs", "document")

    def get_queryset(self, request: HttpRequest) -> QuerySet[WorkflowVersion]:
        """Without the documents, which only the page of one shows."""
        return super().get_queryset(request).defer("definition")

    @admin.display(description="workflow", ordering="workflow__name")
    def of(self, version: WorkflowVersion) -> SafeString:
        """Whose document it is or was."""
        return link_to(version.workflow)

    @admin.display(description="created by")
    def by(self, version: WorkflowVersion) -> SafeString | str:
        """Who saved it."""
        return link_to(version.created_by) if version.created_by else "–"

    @admin.display
    def runs(self, version: WorkflowVersion) -> SafeString:
        """The executions that ran it."""
        return link_to_list(Execution, "Executions", version=version.pk)

    @admin.display
    def document(self, version: WorkflowVersion) -> SafeString:
        """The document with line breaks."""
        return as_json(version.definition)

    def view_on_site(self, version: WorkflowVersion) -> str:
        """Our page of it."""
        return reverse("workflow_version", args=[version.workflow_id, version.number])
