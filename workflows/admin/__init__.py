"""Workflows in the Django admin: to look at, to pause, to cancel and to delete.

History is read-only. Documents change only through the pages and the API, where the definition is
validated and a new version is made.
"""

from workflows.admin import jobs
from workflows.admin.api_key import ApiKeyAdmin
from workflows.admin.execution import ExecutionAdmin, ExecutionEventAdmin, TaskResultAdmin
from workflows.admin.spend import SpendEntryAdmin
from workflows.admin.worker import WorkerAdmin
from workflows.admin.workflow import WorkflowAdmin, WorkflowVersionAdmin

__all__ = [
    "ApiKeyAdmin",
    "ExecutionAdmin",
    "ExecutionEventAdmin",
    "SpendEntryAdmin",
    "TaskResultAdmin",
    "WorkerAdmin",
    "WorkflowAdmin",
    "WorkflowVersionAdmin",
]

jobs.hide()
