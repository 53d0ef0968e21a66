"""The tables of workflows, a file a resource."""

from workflows.models.api_key import ApiKey, MissingKey
from workflows.models.event import ExecutionEvent
from workflows.models.execution import Execution, ExecutionStatus, Trigger
from workflows.models.spend import SpendEntry
from workflows.models.task_result import TaskResult, TaskStatus
from workflows.models.worker import Worker
from workflows.models.workflow import StaleVersion, Workflow, WorkflowStatus, WorkflowVersion

__all__ = [
    "ApiKey",
    "Execution",
    "ExecutionEvent",
    "ExecutionStatus",
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
