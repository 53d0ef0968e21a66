"""What a task has answered: as JSON where it is JSON, as files to keep, and while it is written."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from workflows.models import Execution, ExecutionEvent, TaskResult

# More text than this is not looked at as JSON, and this much is shown of what is being written.
MAX_JSON: Final = 200_000
MAX_LIVE: Final = 100_000
_FENCE: Final = "```"
_LABELS: Final = {"", "json", "jsonc", "json5"}


@dataclass(frozen=True, slots=True)
class Written:
    """What an attempt has written so far, up to the event of that number."""

    text: str
    attempt: int
    sequence: int


def as_json(text: str) -> dict[str, Any] | list[Any] | None:
    """The object or array that an output is, also inside a code fence; None when it is neither."""
    inside = _unfenced(text)
    if len(text) > MAX_JSON or not inside.startswith(("{", "[")):
        return None
    try:
        value = json.loads(inside, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def _unfenced(text: str) -> str:
    """The inside of a text that is one code fence; any other text as it is, without its margins."""
    text = text.strip()
    if not text.startswith(_FENCE) or not text.endswith(_FENCE):
        return text
    label, line_end, inside = text[len(_FENCE) :].partition("\n")
    if not line_end or label.strip().lower() not in _LABELS:
        return text
    inside = inside.removesuffix(_FENCE).strip()
    return text if f"\n{_FENCE}" in inside else inside


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON.")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError("A number is too large.")
    return number


def written_so_far(task: TaskResult) -> Written:
    """The pieces of the task's last attempt, joined. One query."""
    events = ExecutionEvent.objects.filter(
        execution_id=task.execution_id,
        type="delta",
        data__task_id=task.task_id,
        data__item_index=task.item_index,
        data__attempt=task.attempts,
    ).order_by("sequence")
    found = list(events.values_list("sequence", "data"))
    text = "".join(data["text"] for _, data in found)
    return Written(text[-MAX_LIVE:], task.attempts, found[-1][0] if found else 0)


def task_file(task: TaskResult, kind: str) -> bytes | None:
    """An output as a file of that kind: `md`, `txt` or `json`; None if it is not of that kind."""
    if kind != "json":
        return task.output.encode()
    # As it was written: reading it would lose keys that come twice, and digits.
    return None if as_json(task.output) is None else _unfenced(task.output).encode()


def run_file(execution: Execution, results: Iterable[TaskResult], kind: str) -> bytes:
    """Every output of a run as one file, `md` or `json`."""
    if kind == "json":
        return _pretty(
            {
                "workflow": execution.workflow.name,
                "execution_id": str(execution.pk),
                "status": execution.status,
                "input": execution.input,
                "outputs": {result.task_id: _value(result.output) for result in results},
            }
        )
    parts = [f"# {execution.workflow.name}\n"]
    parts += [f"## {result.task_name}\n\n{_said(result)}\n" for result in results]
    return "\n".join(parts).encode()


def _said(result: TaskResult) -> str:
    return result.output.strip() or f"*No output: {result.get_status_display().lower()}.*"


def _value(output: str) -> Any:
    value = as_json(output)
    return output if value is None else value


def _pretty(value: Any) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode(errors="replace") + b"\n"
