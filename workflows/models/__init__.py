"""The tables of workflows, a file a resource."""

from workflows.models.api_key import ApiKey, MissingKey
from workflows.models.event import ExecutionEvent, History
from workflows.models.execution import Execution
from workflows.models.spend import SpendEntry
from workflows.models.states import ExecutionStatus, TaskStatus, Trigger
from workflows.models.task_result import TaskResult
from workflows.models.worker import Worker
from workflows.models.workflow import StaleVersion, Workflow, WorkflowStatus, WorkflowVersion

__all__ = [
    "ApiKey",
    "Execution",
    "ExecutionEvent",
    "ExecutionStatus",
    "History",
    "MissingKey",
    "SpendEntry",
    "StaleVersion",
    "TaskResult",
    "TaskStatus",
    "Trigger",
    "Worker",
    "Workflow",
    "WorkflowStatus",
    "WorkflowVersion",
]
