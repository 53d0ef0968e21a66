"""The pages of workflows, executions and keys."""

from django.urls import path

from workflows.views import dashboard, editor, executions, keys, run, workflows

urlpatterns = [
    path("dashboard", dashboard.dashboard, name="dashboard"),
    path("workflows", workflows.workflow_list, name="workflow_list"),
    path("workflows/new", editor.workflow_create, name="workflow_create"),
    path("workflows/<uuid:pk>", workflows.workflow_detail, name="workflow_detail"),
    path("workflows/<uuid:pk>/edit", editor.workflow_edit, name="workflow_edit"),
    path("workflows/<uuid:pk>/delete", workflows.workflow_delete, name="workflow_delete"),
    path("workflows/<uuid:pk>/run", run.workflow_run, name="workflow_run"),
    path("executions", executions.execution_list, name="execution_list"),
    path("executions/<uuid:pk>", executions.execution_detail, name="execution_detail"),
    path(
        "executions/<uuid:pk>/tasks/<slug:task_id>",
        executions.execution_task,
        name="execution_task",
    ),
    path("executions/<uuid:pk>/cancel", executions.execution_cancel, name="execution_cancel"),
    path("keys", keys.key_list, name="key_list"),
    path("keys/<uuid:pk>/edit", keys.key_edit, name="key_edit"),
    path("keys/<uuid:pk>/toggle", keys.key_toggle, name="key_toggle"),
    path("keys/<uuid:pk>/delete", keys.key_delete, name="key_delete"),
]
