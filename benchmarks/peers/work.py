"""What the runners of peers share. The standard library alone: each has an environment of its own.

A runner is called as `python -m benchmarks.peers.<peer>.runner NAME ARGUMENTS`. NAME is one of

    throughput(levels, count, pause, …)  executions created beforehand, then worked off
    latency(levels, runs, …)             executions created one at a time for an idle worker

and ARGUMENTS a JSON object. The last line on stdout is the result, in JSON. `levels` are the ids of
an execution's tasks: each waits for all of the level before. `pause` is what a task takes.
"""

import asyncio
import itertools
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from benchmarks.memory import peak_megabytes

Levels = list[list[str]]
Answer = TypeVar("Answer")
LIMIT_SECONDS = 150
# How exactly the end of a single execution is seen, and the end of all.
GLANCE, LOOK = 0.002, 0.01


class Progress:
    """Which tasks have begun, which executions have ended, and when; told by any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun: dict[tuple[str, str], float] = {}
        self._repeated = 0
        self.ended: dict[str, float] = {}

    def begin(self, execution: str, task: str) -> None:
        """The body of a task begins."""
        now = time.monotonic()
        with self._lock:
            self._repeated += (execution, task) in self._begun
            self._begun.setdefault((execution, task), now)

    def end(self, execution: str) -> None:
        """The end of an execution is stored."""
        now = time.monotonic()
        with self._lock:
            self.ended[execution] = now

    def has_begun(self, executions: int, levels: Levels) -> bool:
        """Whether all tasks of that many executions have begun."""
        return len(self._begun) >= executions * sum(map(len, levels))

    def require(self, executions: int, levels: Levels) -> None:
        """Refuse a figure for work that was not done, or done twice, or out of order."""
        tasks = executions * sum(map(len, levels))
        assert len(self._begun) == tasks, f"{len(self._begun)} of {tasks} tasks were performed"
        assert not self._repeated, f"{self._repeated} tasks were performed twice"
        for execution in {execution for execution, _ in self._begun}:
            begun = [[self._begun[execution, id] for id in level] for level in levels]
            for one, other in itertools.pairwise(begun):
                assert max(one) <= min(other), f"{execution} did not keep its edges"

    def moment(self, execution: str, task: str) -> float:
        """When a task began, on the clock that all processes share."""
        return self._begun[execution, task]


def until(condition: Callable[[], object], every: float = LOOK) -> float:
    """Wait for a condition, looking each `every` seconds; the moment at which it was seen."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Not done within {LIMIT_SECONDS} s.")
        time.sleep(every)
    return time.monotonic()


def all_done(
    begun: float, ended: float, progress: Progress, count: int, levels: Levels
) -> dict[str, float]:
    """The result of `throughput`."""
    progress.require(count, levels)
    return {"seconds": ended - begun, "megabytes": peak_megabytes()}


def one_by_one(
    create: Callable[[str], object],
    is_over: Callable[[str], object],
    progress: Progress,
    runs: int,
    levels: Levels,
) -> dict[str, list[float]]:
    """The result of `latency`: seconds from creation to the first task and to the stored end.

    A first task that began before its creator knew of the creation counts as at once. The first
    run warms up.
    """
    start, total = [], []
    for number in range(runs + 1):
        time.sleep(0.1)
        name = f"run-{number}"
        create(name)
        created = time.monotonic()
        while not is_over(name):
            time.sleep(GLANCE)
        total.append(time.monotonic() - created)
        start.append(max(0.0, progress.moment(name, levels[0][0]) - created))
    progress.require(runs + 1, levels)
    return {"start": start[1:], "total": total[1:]}


class Background:
    """An event loop in a thread, so that the main thread can measure and wait."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        threading.Thread(target=loop.run_forever, daemon=True).start()

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Let it run."""
        asyncio.run_coroutine_threadsafe(work, self._loop)

    def call(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Run it to its end; what it returned."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def main(*measurements: Callable[..., dict[str, Any]]) -> None:
    """Make the measurement that the command line names, and leave."""
    # So that `finally` removes queues and ends servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    by_name = {measurement.__name__: measurement for measurement in measurements}
    result = by_name[sys.argv[1]](**json.loads(sys.argv[2]))
    print(json.dumps({"result": result}), flush=True)
    # Workers run in threads that nobody stops.
    os._exit(0)
