"""What will happen, from a seed: what clients ask for, and what goes wrong when."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any

LEASE_SECONDS = 2.0
WORKERS = 3
# Clients ask during this part of the time, so that what they asked for last meets chaos, too.
BUSY_PART = 0.8
SHAPES = ("chain", "diamond", "failing", "fallback", "long", "patient", "silent", "wide")
PER_CALL = Decimal("0.001")  # about what a call may cost, by soak.worker.PRICE

CHAOS = {
    "kill": 5,
    "pause": 5,
    "restart": 3,
    "partition": 4,
    "database restart": 2,
    "disk full": 2,
    "provider": 5,
}
FAULTS: tuple[dict[str, Any], ...] = (
    {"type": "fail", "status": 429},
    {"type": "fail", "status": 429, "retry_after": 1},
    {"type": "fail", "status": 500},
    {"type": "fail", "status": 503},
    {"type": "delay", "seconds": 3},
    {"type": "stream_fault", "kind": "truncate", "after_chunks": 2},
    {"type": "stream_fault", "kind": "disconnect", "after_chunks": 2},
    {"type": "stream_fault", "kind": "malformed", "after_chunks": 1},
)
# What the provider does for good, the most special first: the last is for every model.
PROVIDER: tuple[dict[str, Any], ...] = (
    {"type": "fail", "status": 400, "times": None, "match": {"model": "refused"}},
    {"type": "delay", "seconds": 1.5, "times": None, "match": {"model": "slow"}},
    {"type": "delay", "seconds": 6, "times": None, "match": {"model": "silent"}},
    {"type": "delay", "seconds": 0.05, "times": None},
)


@dataclass(frozen=True, slots=True)
class Start:
    """A client asks for an execution, and for its end after a while. Times are in seconds."""

    at: float
    label: str
    shape: str
    key: str
    cap: Decimal | None
    cancel_after: float | None


@dataclass(frozen=True, slots=True)
class Act:
    """Something goes wrong with a worker, by its number, or with what all of them use."""

    at: float
    kind: str
    worker: int
    seconds: float
    immediate: bool
    fault: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a seed decides. How processes interleave is not among it."""

    starts: list[Start]
    acts: list[Act]


def make(seed: int, *, executions: int, seconds: float, only: set[str] | None = None) -> Plan:
    """The plan of this seed for so many executions and seconds of chaos."""
    # One source for each, so that other chaos does not change what clients ask for.
    starts = _starts(random.Random(f"{seed} clients"), executions, seconds * BUSY_PART)
    acts = _acts(random.Random(f"{seed} chaos"), seconds)
    return Plan(list(starts), [act for act in acts if only is None or act.kind in only])


def _starts(draw: random.Random, executions: int, seconds: float) -> Iterator[Start]:
    moments = sorted(draw.uniform(0, seconds) for _ in range(executions))
    for number, at in enumerate(moments):
        yield Start(
            at=at,
            label=f"run-{number}",
            shape=SHAPES[number] if number < len(SHAPES) else draw.choice(SHAPES),
            key=f"key-{number}" if draw.random() < 0.6 else "",
            cap=PER_CALL * draw.randint(0, 12) if draw.random() < 0.25 else None,
            cancel_after=draw.uniform(0, 4) if draw.random() < 0.15 else None,
        )


def _acts(draw: random.Random, seconds: float) -> Iterator[Act]:
    """Each kind once, in any order; then whatever comes, while there is time."""
    kinds = list(CHAOS)
    draw.shuffle(kinds)
    busy_until = [0.0] * WORKERS
    at = min(0.5, seconds / 10)
    for number in count():
        at += draw.uniform(0.2, 1.0)
        if at > seconds:
            return
        (drawn,) = draw.choices(list(CHAOS), list(CHAOS.values()))
        act = Act(
            at=at,
            kind=kinds[number] if number < len(kinds) else drawn,
            # Whoever is left alone for the longest: a worker that is away cannot be hit.
            worker=min(range(WORKERS), key=lambda n: (busy_until[n] > at, draw.random())),
            seconds=LEASE_SECONDS * draw.choice([0.2, 0.5, 0.8, 1.3, 2.0]),
            immediate=draw.random() < 0.5,
            fault=draw.choice(FAULTS) | {"times": draw.randint(1, 8)},
        )
        busy_until[act.worker] = at + act.seconds
        yield act
