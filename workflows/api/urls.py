"""The addresses of the workflows API, below `/api/`."""

from django.urls import path

from hummbl.api.throttling import ExecuteThrottle
from workflows.api import schema  # noqa: F401 - registers how bodies appear in the OpenAPI schema
from workflows.api.admin import (
    ManagedExecutionViewSet,
    ManagedWorkflowViewSet,
    StatisticsView,
)
from workflows.api.executions import ExecutionViewSet, StreamView
from workflows.api.keys import KeyViewSet
from workflows.api.models import ModelListView
from workflows.api.storage import StorageView
from workflows.api.templates import TemplateListView, TemplateUseView, TemplateView
from workflows.api.transfer import (
    CopyView,
    DocumentSchemaView,
    ExportView,
    ImportView,
    ValidateView,
)
from workflows.api.versions import VersionViewSet
from workflows.api.workflows import WorkflowViewSet

urlpatterns = [
    path(
        "workflows",
        WorkflowViewSet.as_view({"get": "list", "post": "create"}),
        name="api_workflows",
    ),
    path(
        "workflows/<uuid:pk>",
        WorkflowViewSet.as_view(
            {
                "get": "retrieve",
                "put": "update",
                "patch": "partial_update",
                "delete": "destroy",
            }
        ),
        name="api_workflow",
    ),
    path(
        "workflows/<uuid:pk>/execute",
        WorkflowViewSet.as_view({"post": "execute"}, throttle_classes=[ExecuteThrottle]),
        name="api_workflow_execute",
    ),
    path("workflows/schema", DocumentSchemaView.as_view(), name="api_workflow_schema"),
    path("workflows/validate", ValidateView.as_view(), name="api_workflow_validate"),
    path("workflows/import", ImportView.as_view(), name="api_workflow_import"),
    path("workflows/<uuid:pk>/export", ExportView.as_view(), name="api_workflow_export"),
    path("workflows/<uuid:pk>/copy", CopyView.as_view(), name="api_workflow_copy"),
    path(
        "workflows/<uuid:pk>/versions",
        VersionViewSet.as_view({"get": "list"}),
        name="api_workflow_versions",
    ),
    path(
        "workflows/<uuid:pk>/versions/<int:number>",
        VersionViewSet.as_view({"get": "retrieve"}),
        name="api_workflow_version",
    ),
    path(
        "workflows/<uuid:pk>/versions/<int:number>/diff/<int:other>",
        VersionViewSet.as_view({"get": "diff"}),
        name="api_workflow_diff",
    ),
    path(
        "workflows/<uuid:pk>/versions/<int:number>/restore",
        VersionViewSet.as_view({"post": "restore"}),
        name="api_workflow_restore",
    ),
    path("executions", ExecutionViewSet.as_view({"get": "list"}), name="api_executions"),
    path(
        "executions/<uuid:pk>", ExecutionViewSet.as_view({"get": "retrieve"}), name="api_execution"
    ),
    path("executions/<uuid:pk>/stream", StreamView.as_view(), name="api_execution_stream"),
    path(
        "executions/<uuid:pk>/cancel",
        ExecutionViewSet.as_view({"post": "cancel"}),
        name="api_execution_cancel",
    ),
    path("keys", KeyViewSet.as_view({"get": "list", "post": "create"}), name="api_keys"),
    path(
        "keys/<uuid:pk>",
        KeyViewSet.as_view({"patch": "partial_update", "delete": "destroy"}),
        name="api_key",
    ),
    path(
        "keys/<uuid:pk>/test",
        KeyViewSet.as_view({"post": "test"}, throttle_classes=[ExecuteThrottle]),
        name="api_key_test",
    ),
    path(
        "admin/workflows",
        ManagedWorkflowViewSet.as_view({"get": "list"}),
        name="api_admin_workflows",
    ),
    path(
        "admin/executions",
        ManagedExecutionViewSet.as_view({"get": "list"}),
        name="api_admin_executions",
    ),
    path("admin/stats", StatisticsView.as_view(), name="api_admin_stats"),
    path("admin/storage", StorageView.as_view(), name="api_admin_storage"),
    path("models", ModelListView.as_view(), name="api_models"),
    path("templates", TemplateListView.as_view(), name="api_templates"),
    path("templates/<slug:slug>", TemplateView.as_view(), name="api_template"),
    path("templates/<slug:slug>/use", TemplateUseView.as_view(), name="api_template_use"),
]
