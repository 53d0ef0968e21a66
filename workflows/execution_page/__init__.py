"""What the page of a run shows of it and of one task: questions asked of rows already read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from workflows import markdown
from workflows.execution_page import outputs
from workflows.execution_page.attempts import Attempt, attempts_of
from workflows.execution_page.outputs import Written
from workflows.execution_page.timeline import Span, Timeline
from workflows.models import Execution, TaskResult, TaskStatus
from workflows.nodes import is_sample

# Which task the page opens with: what needs a person first, what is the result last.
_FIRST_LOOK = (TaskStatus.FAILED, TaskStatus.RUNNING, TaskStatus.WAITING)
_CUT_SHORT = (TaskStatus.FAILED, TaskStatus.CANCELLED)


def selected(wanted: str, results: Sequence[TaskResult]) -> TaskResult | None:
    """The task that the page opens with: the wanted one, or the one that matters most."""
    for result in results:
        if result.task_id == wanted:
            return result
    for status in _FIRST_LOOK:
        for result in results:
            if result.status == status:
                return result
    asked = [result for result in results if not is_sample(result)] or list(results)
    done = [result for result in asked if result.status == TaskStatus.COMPLETED]
    found = done[-1:] or asked[:1]
    return found[0] if found else None


def counts(results: Iterable[TaskResult]) -> dict[str, int]:
    """How many tasks there are in each status."""
    found = dict.fromkeys(TaskStatus.values, 0)
    for result in results:
        found[result.status] += 1
    return found


def live(execution: Execution, shown: Timeline) -> dict[str, Any]:
    """What the script of the page needs to go on from here."""
    page = reverse("execution_detail", args=[execution.pk])
    return {
        "stream": reverse("api_execution_stream", args=[execution.pk]),
        "page": page,
        # The id of a task follows.
        "tasks": reverse("execution_task", args=[execution.pk, "x"])[:-1],
        "sign_in": f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': page})}",
        "sequence": execution.last_sequence,
        "status": execution.status,
        "started_at": execution.started_at,
        "completed_at": execution.completed_at,
        "now": timezone.now(),
        "states": [] if execution.is_terminal else _states(execution, shown.spans),
    }


def _states(execution: Execution, spans: Iterable[Span]) -> list[dict[str, Any]]:
    """Each task as the script follows it."""
    nameless = {
        agent["id"] for agent in execution.document["agents"] if agent["provider"] == "custom"
    }
    return [
        {
            "id": span.result.task_id,
            "status": span.result.status,
            "attempts": span.result.attempts,
            "code": span.result.error_code,
            "cost": span.result.cost,
            "tokens": span.result.input_tokens + span.result.output_tokens,
            "unpriced": span.result.agent_id in nameless,
            "sample": span.is_sample,
            "pieces": [[piece.kind, piece.start, piece.end] for piece in span.pieces],
        }
        for span in spans
    ]


@dataclass(frozen=True, slots=True)
class TaskPanel:
    """One task of a run, opened. `tree` is its output as JSON, where it is JSON."""

    task: TaskResult
    agent: dict[str, Any]
    spec: dict[str, Any]
    attempts: list[Attempt]
    written: Written | None
    tree: Any
    is_sample: bool

    @property
    def has_forms(self) -> bool:
        """Whether the output looks different formatted and raw."""
        return self.tree is not None or 0 < len(self.task.output) <= markdown.MAX_MARKDOWN

    @property
    def fallback(self) -> Attempt | None:
        """The call that was made of another model than the agent's own, if the last one was."""
        last = self.attempts[-1] if self.attempts else None
        own = (self.agent.get("provider"), self.agent.get("model"))
        return last if last and self.agent and (last.provider, last.model) != own else None


def task_panel(execution: Execution, task: TaskResult) -> TaskPanel:
    """A task with its attempts and, while or where it was not finished, what was written."""
    document = execution.document
    agents = {agent["id"]: agent for agent in document["agents"]}
    specs = {spec["id"]: spec for spec in document["tasks"]}
    unfinished = task.status == TaskStatus.RUNNING or (
        task.status in _CUT_SHORT and task.attempts and not task.output
    )
    return TaskPanel(
        task=task,
        agent=agents.get(task.agent_id, {}),
        spec=specs.get(task.task_id, {}),
        attempts=attempts_of(task),
        written=outputs.written_so_far(task) if unfinished else None,
        tree=outputs.as_json(task.output),
        is_sample=is_sample(task),
    )
