"""`{{ input.topic }}` and `{{ tasks.gather.output }}`: plain lookup, once.

No template engine and no regular expression is involved: one linear scan splits a prompt into
text and references, and what a reference brings in is never looked at again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hummbl.errors import AppError
from workflows.problems import quote

MAX_REFERENCE: Final = 300
MAX_RENDERED: Final = 2_000_000


class PlaceholderError(AppError):
    """A placeholder names something that this run does not have."""

    code = "unknown_placeholder"


@dataclass(frozen=True, slots=True)
class Reference:
    """One `{{ … }}`; `steps` are its dotted parts, such as ("tasks", "gather", "output")."""

    steps: tuple[str, ...]

    @property
    def name(self) -> str:
        return ".".join(self.steps)

    @property
    def task_id(self) -> str | None:
        return self.steps[1] if self.steps[0] == "tasks" else None


Token = str | Reference


def tokenize(prompt: str) -> tuple[Token, ...]:
    """Splits a prompt into text and references; braces that never close are plain text."""
    tokens: list[Token] = []
    position = 0
    while True:
        opened = prompt.find("{{", position)
        closed = prompt.find("}}", opened + 2) if opened >= 0 else -1
        if closed < 0:
            break
        opened = prompt.rfind("{{", opened, closed)
        tokens.append(prompt[position:opened])
        tokens.append(_reference(prompt[opened + 2 : closed]))
        position = closed + 2
    tokens.append(prompt[position:])
    return tuple(token for token in tokens if token)


def _reference(body: str) -> Reference:
    return Reference(tuple(body.strip()[: MAX_REFERENCE + 1].split(".")))


def malformed(reference: Reference) -> str | None:
    """Why this can never be looked up, in a sentence; None when its form is right."""
    steps = reference.steps
    if len(reference.name) > MAX_REFERENCE:
        return f"A placeholder has at most {MAX_REFERENCE} characters."
    if steps[0] == "input" and all(steps):
        return None
    if steps[0] == "tasks":
        if len(steps) >= 3 and steps[2] == "output" and all(steps):
            return None
        example = steps[1] if len(steps) > 1 and steps[1] else "task_id"
        return f"Write it as {{{{ tasks.{example}.output }}}}."
    return (
        f"{quote(reference.name)} is neither input nor a task's output. Write {{{{ input.name }}}} "
        "or {{ tasks.id.output }}; for literal double braces, put the text into the task's input "
        "and refer to it."
    )


def render(tokens: Sequence[Token], *, input: Mapping[str, Any], outputs: Mapping[str, str]) -> str:
    """The prompt with every reference replaced by what it names.

    Raises PlaceholderError for a name that is not there, and for a result over 2,000,000
    characters.
    """
    known: dict[Reference, str] = {}
    parsed: dict[str, Any] = {}
    parts: list[str] = []
    size = 0
    for token in tokens:
        if isinstance(token, str):
            part = token
        else:
            if token not in known:
                known[token] = _resolve(token, input, outputs, parsed)
            part = known[token]
        size += len(part)
        if size > MAX_RENDERED:
            raise too_long()
        parts.append(part)
    return "".join(parts)


def too_long() -> PlaceholderError:
    return PlaceholderError(
        f"With the outputs put in, the prompt exceeds {MAX_RENDERED:,} characters. Refer to "
        "parts of the outputs, or ask the earlier tasks for less.",
        code="prompt_too_long",
    )


def _resolve(
    reference: Reference,
    input: Mapping[str, Any],
    outputs: Mapping[str, str],
    parsed: dict[str, Any],
) -> str:
    reason = malformed(reference)
    if reason:
        raise PlaceholderError(reason)
    if reference.steps[0] == "input":
        return _as_text(_look_up(dict(input), reference, first=1), reference)
    task_id = reference.steps[1]
    if task_id not in outputs:
        raise PlaceholderError(f"Task {quote(task_id)} has no output that this task could use.")
    if len(reference.steps) == 3:
        return outputs[task_id]
    if task_id not in parsed:
        parsed[task_id] = _parse_output(task_id, outputs[task_id])
    return _as_text(_look_up(parsed[task_id], reference, first=3), reference)


def _look_up(value: Any, reference: Reference, *, first: int) -> Any:
    for position in range(first, len(reference.steps)):
        step = reference.steps[position]
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and _is_index(step) and int(step) < len(value):
            value = value[int(step)]
        else:
            raise PlaceholderError(_not_found(reference, position, value))
    return value


def _is_index(step: str) -> bool:
    return step.isascii() and step.isdigit() and len(step) <= 9


def _not_found(reference: Reference, position: int, value: Any) -> str:
    steps = reference.steps
    if steps[0] == "input" and position == 1:
        return f"{quote(reference.name)} was not given. Add {quote(steps[1])} to the run's input."
    outer, step = ".".join(steps[:position]), steps[position]
    if isinstance(value, list):
        return f"{quote(outer)} is a list of {len(value)}; {quote(step)} is not one of its places."
    if isinstance(value, dict):
        return f"{quote(outer)} has no {quote(step)}."
    return f"{quote(outer)} is a plain value; nothing called {quote(step)} is inside."


def _parse_output(task_id: str, text: str) -> Any:
    for candidate in (text, _fenced(text)):
        try:
            return json.loads(candidate, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            continue
    raise PlaceholderError(
        f"The output of task {quote(task_id)} is not JSON, so nothing inside it can be looked up. "
        "Ask that task to answer with JSON only, or use its whole output.",
        code="output_not_json",
    )


def _fenced(text: str) -> str:
    """The inside of the first Markdown code fence, which models like to put around JSON."""
    _, _, rest = text.partition("```")
    inside, _, _ = rest.partition("```")
    return inside[4:] if inside[:4].lower() == "json" else inside


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _as_text(value: Any, reference: Reference) -> str:
    """Text as it is, anything else as compact JSON, without what no database stores."""
    try:
        text = (
            value
            if isinstance(value, str)
            else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        )
    except (ValueError, RecursionError):
        raise PlaceholderError(f"{quote(reference.name)} is nested too deep.") from None
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
