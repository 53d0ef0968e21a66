"""Measurement of many open event streams in one web process."""

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from accounts.models import Session
from benchmarks.engine import enqueue, make, owner
from benchmarks.figures import percentile
from benchmarks.memory import PROC, is_measurable, proportional_megabytes
from benchmarks.processes import BASE_DIR, ProcessFailed, end, free_port, from_procfile, wait_for
from benchmarks.skipping import Skipped
from tests.factories import make_definition, make_task
from workflows.models import Execution, ExecutionEvent

SETTLE = 1.5
WRITER_PAUSE = 0.02

Event = tuple[UUID, int]
Moments = dict[Event, float]
Came = dict[Event, list[float]]


def at_scale(streams: int, settle: float, rest: float, events: int, pause: float) -> dict[str, Any]:
    """What that many streams cost one web process, and how fast events reach them.

    Core seconds a minute, measured for `rest` seconds each: `rest` while nothing happens,
    `writing` while somebody writes what nobody watches. `kilobytes` of memory a stream, and the
    seconds of `opening` them all. Milliseconds from the commit of an event to each stream that
    gets it: `own` when each watches an execution of its own, `busy` the same with that writer,
    `one` when all watch one. Every stream has a session of its own.
    """
    if not is_measurable():
        raise Skipped("this system does not tell the memory and the time of another process")
    tokens = [Session.open(owner(), ip=None, user_agent="")[1] for _ in range(streams)]
    enqueue(make(make_definition(make_task("only"))), streams + 1)
    other, *own = Execution.objects.values_list("pk", flat=True)
    port = free_port()
    limits = {"RATE_LIMIT_API": "", "RATE_LIMIT_PAGES": ""}
    found: dict[str, Any] = {}
    with from_procfile("web", port=port, **limits) as web:
        wait_for(port, "/api/health")
        with reading(port, own[:1], tokens[:1]):
            before = proportional_megabytes(web)
        begun = time.monotonic()
        with reading(port, own, tokens) as arrivals:
            found["opening"] = time.monotonic() - begun
            time.sleep(settle)
            found["kilobytes"] = 1000 * (proportional_megabytes(web) - before) / streams
            found["rest"] = _core_seconds_a_minute(web, rest)
            calm = _write(own, events, pause)
            with _somebody_writes(other):
                found["writing"] = _core_seconds_a_minute(web, rest)
                busy = _write(own, events, pause)
            came = _collect(arrivals)
        found["own"], found["busy"] = _latencies(calm, came, 1), _latencies(busy, came, 1)
        with reading(port, [own[0]] * streams, tokens) as arrivals:
            written = _write(own[:1], events, pause)
            found["one"] = _latencies(written, _collect(arrivals), streams)
    return found


class Arrivals:
    """When each event came to each stream; known once the reading has ended."""

    def __init__(self, process: "subprocess.Popen[str]", executions: list[UUID]) -> None:
        self._process, self._executions = process, executions

    def collect(self) -> Came:
        """Stop reading; the moments by execution and number of the event."""
        said, _ = self._process.communicate()
        if self._process.returncode:
            raise ProcessFailed("The reading process failed.")
        came: Came = {}
        for stream, number, moment in json.loads(said):
            came.setdefault((self._executions[stream], number), []).append(moment)
        return came


@contextmanager
def reading(port: int, executions: list[UUID], tokens: list[str]) -> Iterator[Arrivals]:
    """Streams of those executions, one for each token, open in a process of their own."""
    command = [sys.executable, "-m", "benchmarks.stream_client", str(port)]
    process = subprocess.Popen(
        command, cwd=BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        streams = [[str(pk), token] for pk, token in zip(executions, tokens, strict=True)]
        process.stdin.write(json.dumps(streams) + "\n")
        process.stdin.flush()
        if process.stdout.readline() != "ready\n":
            raise ProcessFailed("The streams did not open.")
        yield Arrivals(process, executions)
    finally:
        end(process)


def _write(executions: list[UUID], events: int, pause: float) -> Moments:
    """Write events of executions that chance picks; when the commit of each had returned."""
    moments: Moments = {}
    for _ in range(events):
        time.sleep(random.uniform(0.5, 1.5) * pause)
        chosen = random.choice(executions)
        number = _write_one(chosen)
        moments[chosen, number] = time.monotonic()
    return moments


def _write_one(pk: UUID) -> int:
    with transaction.atomic():
        Execution.objects.filter(pk=pk).update(last_sequence=F("last_sequence") + 1)
        number = Execution.objects.values_list("last_sequence", flat=True).get(pk=pk)
        data = {"task_id": "only", "item_index": 0, "attempt": 1, "text": "A piece of text. "}
        ExecutionEvent.objects.create(execution_id=pk, sequence=number, type="delta", data=data)
    return number


def _collect(arrivals: Arrivals) -> Came:
    time.sleep(SETTLE)
    return arrivals.collect()


def _latencies(written: Moments, came: Came, copies: int) -> dict[str, float]:
    """Milliseconds from commit to arrival. Raises where an event did not come once to each."""
    for event in written:
        assert len(came.get(event, ())) == copies, f"Event {event} came {came.get(event)}"
    waits = [1000 * (moment - written[event]) for event in written for moment in came[event]]
    return {"p50": percentile(waits, 50), "p95": percentile(waits, 95), "max": max(waits)}


@contextmanager
def _somebody_writes(execution: UUID) -> Iterator[None]:
    """Somebody writes events of an execution that nobody watches."""
    over = threading.Event()

    def write() -> None:
        try:
            while not over.wait(WRITER_PAUSE):
                _write_one(execution)
        finally:
            connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()


def _core_seconds_a_minute(pid: int, seconds: float) -> float:
    """What a process and those that it started use, measured for so long."""
    used, begun = _core_seconds(pid), time.monotonic()
    time.sleep(seconds)
    return 60 * (_core_seconds(pid) - used) / (time.monotonic() - begun)


def _core_seconds(pid: int) -> float:
    folder = PROC / str(pid)
    children = (folder / "task").glob("*/children")
    below = [int(child) for listed in children for child in listed.read_text().split()]
    # After the name, which may hold anything, utime and stime are the 12th and 13th.
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK") + sum(_core_seconds(child) for child in below)
