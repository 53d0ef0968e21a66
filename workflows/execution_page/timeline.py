"""When each task of a run was worked on: its calls, and the waits between them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from workflows.execution_page.attempts import Call, Calls
from workflows.models import Execution, TaskResult
from workflows.nodes import is_sample

# The narrowest piece that can still be seen, in per cent of the width.
_NARROWEST = 0.8


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a bar: `call`, `failed` (a call that was made again) or `wait`.

    Seconds since the run began; place and width in per cent.
    """

    kind: str
    start: float
    end: float
    left: str
    width: str


@dataclass(frozen=True, slots=True)
class Span:
    """A task on the timeline. Without pieces it was never worked on."""

    result: TaskResult
    pieces: Sequence[Piece]
    is_current: bool
    is_sample: bool

    @property
    def seconds(self) -> float | None:
        """How long it took, or has taken so far."""
        return self.pieces[-1].end - self.pieces[0].start if self.pieces else None

    @property
    def waits(self) -> int:
        """How often it waited before another call."""
        return sum(piece.kind == "wait" for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Timeline:
    """The spans of a run and the marks of its axis, in seconds."""

    spans: Sequence[Span]
    marks: Sequence[float]


# A kind, and when it began and ended; no end while it goes on.
_Part = tuple[str, datetime, datetime | None]


def timeline(
    execution: Execution, results: Sequence[TaskResult], calls: Calls, current: str
) -> Timeline:
    """The tasks of a run against the time since it began."""
    begun = execution.started_at
    now = execution.completed_at or timezone.now()
    parts = {
        result.task_id: list(_parts(result, calls.get(result.task_id, []))) for result in results
    }
    ends = [end for found in parts.values() for _, _, end in found if end]
    total = (max([now, *ends]) - begun).total_seconds() if begun else 0.0
    spans = [
        Span(
            result,
            _pieces(parts[result.task_id], begun, now, total) if begun and total > 0 else (),
            result.task_id == current,
            is_sample(result),
        )
        for result in results
    ]
    return Timeline(spans, [total * share / 3 for share in range(4)] if total > 0 else [])


def _parts(result: TaskResult, calls: list[Call]) -> Iterator[_Part]:
    if result.started_at is None:
        return
    end = result.completed_at
    if not calls:
        yield "call", result.started_at, end
        return
    for call, following in zip(calls, [*calls[1:], None], strict=True):
        begin = result.started_at if call is calls[0] else call.at
        next_at = following.at if following else end
        if call.failure:
            yield "failed", begin, call.failure.at
            yield "wait", call.failure.at, next_at
        else:
            yield "failed" if following else "call", begin, next_at


def _pieces(parts: list[_Part], begun: datetime, now: datetime, total: float) -> list[Piece]:
    return [
        _piece(kind, (start - begun).total_seconds(), ((end or now) - begun).total_seconds(), total)
        for kind, start, end in parts
    ]


def _piece(kind: str, start: float, end: float, total: float) -> Piece:
    start = max(0.0, start)
    end = max(start, end)
    left = min(100 - _NARROWEST, start / total * 100)
    width = min(100 - left, max(_NARROWEST, (end - start) / total * 100))
    return Piece(kind, start, end, f"{left:.2f}", f"{width:.2f}")
