"""The prompt of a task as the model will get it, with what was put in marked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from workflows.definition import Agent, PlaceholderError, Task, WorkflowDefinition, render_prompt
from workflows.engine.agents import instructions
from workflows.placeholders import MAX_RENDERED, Reference, render, too_long
from workflows.providers import catalogue

SHOWN: Final = 20_000
BYTES_PER_TOKEN: Final = 4


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a prompt. `source` names what was put in here, `problem` why nothing was."""

    text: str
    source: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What one call would send. `cost` is its upper bound in US dollars, None when unknown.

    `tokens` are an estimate, of the prompt and the instructions together. `hidden` counts the
    characters that are left out of `pieces`.
    """

    pieces: list[Piece]
    hidden: int
    instructions: str
    tokens: int
    max_tokens: int
    cost: Decimal | None
    is_complete: bool


def preview(
    document: WorkflowDefinition, *, input: Mapping[str, Any], outputs: Mapping[str, str]
) -> Preview:
    """The first task of the document, with these values. Raises PlaceholderError when too long."""
    task = document.tasks[0]
    agent = document.agents_by_id[task.agent_id]
    pieces = list(_pieces(task, document, input, outputs))
    system = instructions(agent)
    size = sum(_bytes(piece.text) for piece in pieces) + _bytes(system)
    shown, hidden = _cut(pieces)
    return Preview(
        pieces=shown,
        hidden=hidden,
        instructions=system,
        tokens=-(-size // BYTES_PER_TOKEN),
        max_tokens=agent.max_tokens,
        cost=_bound(agent, size),
        is_complete=not any(piece.problem for piece in pieces),
    )


def _bound(agent: Agent, size: int) -> Decimal | None:
    return catalogue.estimate(agent.provider, agent.model, size, agent.max_tokens)


def _pieces(
    task: Task,
    document: WorkflowDefinition,
    input: Mapping[str, Any],
    outputs: Mapping[str, str],
) -> Iterator[Piece]:
    if not any(isinstance(token, Reference) for token in task.tokens):
        whole = render_prompt(task, input=input, outputs=outputs, names=document.names)
        yield Piece(task.description)
        if len(whole) > len(task.description):
            yield Piece(whole[len(task.description) :], source="the answers it runs after")
        return
    size = 0
    for token in task.tokens:
        piece = _piece(token, {**task.input, **input}, outputs)
        size += len(piece.text)
        if size > MAX_RENDERED:
            raise too_long()
        yield piece


def _piece(token: str | Reference, input: Mapping[str, Any], outputs: Mapping[str, str]) -> Piece:
    if isinstance(token, str):
        return Piece(token)
    try:
        return Piece(render((token,), input=input, outputs=outputs), source=token.name)
    except PlaceholderError as error:
        return Piece(f"{{{{ {token.name} }}}}", source=token.name, problem=error.message)


def _cut(pieces: list[Piece]) -> tuple[list[Piece], int]:
    """The beginning of a long prompt, and how many characters were left out."""
    shown, room = [], SHOWN
    for piece in pieces:
        shown.append(replace(piece, text=piece.text[:room]))
        room -= len(shown[-1].text)
        if not room:
            break
    return shown, sum(len(piece.text) for piece in pieces) - (SHOWN - room)


def _bytes(text: str) -> int:
    return len(text.encode(errors="replace"))
