"""What is compared: HUMMBL on a database, and a peer in one of its ways, asked the same way."""

import json
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

from benchmarks.databases import Database, environment
from benchmarks.figures import percentile
from benchmarks.measuring import ask, measure
from benchmarks.peers import servers
from benchmarks.peers.catalogue import EVERY_TASK, Contestant
from benchmarks.peers.environments import python_of, version_of
from benchmarks.peers.work import Levels
from benchmarks.processes import BASE_DIR
from benchmarks.skipping import Skipped

LIMIT_SECONDS = 180
SPELLINGS = {"dbos": "DBOS"}
ONLY = [["only"]]


class Failed(Exception):
    """A measurement that ended without a figure; the message is what it complained about."""


class Engine(Protocol):
    """An engine in one way to use it. Its methods raise Skipped or Failed."""

    name: str
    about: list[str]
    database: str

    def diamonds(self, share: float) -> float:
        """Tasks a second over that share of the usual number of diamonds."""

    def sequence(self, steps: int, runs: int) -> list[float]:
        """Seconds from creation to the end of executions of that many tasks in a chain."""

    def start(self, runs: int) -> float:
        """The 95th percentile of the milliseconds from creation to the first task, when idle."""

    def calls(self, count: int) -> dict[str, float]:
        """`seconds` for that many one-second calls at once, and the peak `megabytes`."""


class Ours:
    """HUMMBL on that database."""

    count, live = 1000, 200

    def __init__(self, database: Database, folder: Path) -> None:
        self.name = f"HUMMBL on {database.label}"
        self.database = database.label
        how = f"1 worker, {self.live} executions"
        self.about = [EVERY_TASK, "HUMMBL", how, database.label, "resumed; running tasks repeat"]
        self._database, self._folder = database, folder

    def diamonds(self, share: float) -> float:
        count = max(2, int(self.count * share))
        return float(self._measure("engine:diamonds", count=count, live=self.live))

    def sequence(self, steps: int, runs: int) -> list[float]:
        found: list[float] = self._measure("engine:sequence", steps=steps, runs=runs)
        return found

    def start(self, runs: int) -> float:
        return float(self._measure("engine:start_latency", count=runs)["p95"])

    def calls(self, count: int) -> dict[str, float]:
        found: dict[str, float] = self._measure("engine:slow_calls", count=count, pause=1.0)
        return found

    def diamond(self) -> Levels:
        """The graph that `diamonds` runs, for the peers."""
        found: Levels = self._measure("peers.graph:diamond")
        return found

    def commits(self, seconds: float) -> float:
        """Bare commits a second: what the disk below allows."""
        return float(self._measure("disk:commits", seconds=seconds))

    def _measure(self, function: str, **arguments: Any) -> Any:
        with self._database.fresh() as url:
            env = environment(url, self._folder)
            return _result(measure(f"benchmarks.{function}", arguments, env, LIMIT_SECONDS))


class Theirs:
    """A peer. Each measurement has an empty database and what servers of its own it needs."""

    def __init__(
        self,
        contestant: Contestant,
        diamond: Levels,
        database: Database | None,
        folder: Path,
        *,
        install: bool,
    ) -> None:
        peer = contestant.peer
        title = f"{SPELLINGS.get(peer, peer.capitalize())} {version_of(peer)}"
        self.name, self.database = contestant.name, contestant.database
        self.about = [
            contestant.group,
            title,
            contestant.how,
            contestant.stores,
            contestant.after_crash,
        ]
        self._contestant, self._diamond, self._database = contestant, diamond, database
        self._folder, self._install = folder, install

    def diamonds(self, share: float) -> float:
        count = max(2, int(self._contestant.count * share))
        found = self._measure("throughput", levels=self._diamond, count=count, pause=0)
        return float(count * sum(map(len, self._diamond)) / found["seconds"])

    def sequence(self, steps: int, runs: int) -> list[float]:
        chain = [[f"step_{number}"] for number in range(steps)]
        found: list[float] = self._measure("latency", levels=chain, runs=runs)["total"]
        return found

    def start(self, runs: int) -> float:
        return 1000 * percentile(self._measure("latency", levels=ONLY, runs=runs)["start"], 95)

    def calls(self, count: int) -> dict[str, float]:
        found: dict[str, float] = self._measure("throughput", levels=ONLY, count=count, pause=1)
        return found

    def _measure(self, name: str, **arguments: Any) -> Any:
        contestant = self._contestant
        if not self._database:
            raise Skipped(f"there is no {contestant.database}")
        python = python_of(contestant.peer, install=self._install)
        if contestant.style:
            arguments["style"] = contestant.style
        module = f"benchmarks.peers.{contestant.peer}.runner"
        command = [str(python), "-m", module, name, json.dumps(arguments)]
        with ExitStack() as stack:
            urls = servers.start(contestant.servers, stack)
            env = self._environment(stack.enter_context(self._database.empty()), urls)
            return _result(ask(command, env, LIMIT_SECONDS, self._folder))

    def _environment(self, url: str, urls: dict[str, str]) -> dict[str, str]:
        """Nothing of ours but our modules, and a home that goes away."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),
            "PYTHONPATH": str(BASE_DIR),
            "DO_NOT_TRACK": "1",
            "DATABASE_URL": url,
            **urls,
        }


def _result(outcome: dict[str, Any]) -> Any:
    if "skipped" in outcome:
        raise Skipped(outcome["skipped"])
    if "failed" in outcome:
        raise Failed(outcome["failed"])
    return outcome["result"]
