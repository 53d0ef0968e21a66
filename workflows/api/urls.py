"""The addresses of the workflows API, below `/api/`."""

from django.urls import path

from hummbl.api.throttling import ExecuteThrottle
from workflows.api import schema  # noqa: F401 - registers how bodies appear in the OpenAPI schema
from workflows.api.executions import ExecutionViewSet, StreamView
from workflows.api.keys import KeyViewSet
from workflows.api.models import ModelListView
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
    path("models", ModelListView.as_view(), name="api_models"),
]
