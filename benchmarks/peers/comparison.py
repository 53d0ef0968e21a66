"""The two tables: tasks a second with ratios, and what single executions wait for."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from benchmarks.figures import spread, table
from benchmarks.peers.catalogue import EVERY_TASK
from benchmarks.peers.engines import Engine, Failed
from benchmarks.skipping import Skipped

RATES = ["stored by", "engine", "used as", "in", "after kill -9", "tasks/s", "ours ÷ theirs"]
WAITS = ["engine", "chain of tasks", "start when idle, p95", "one-second calls, peak memory"]
GOAL = 30


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured. `share` is of the usual number of diamonds."""

    repeat: int = 3
    share: float = 1.0
    steps: int = 40
    runs: int = 5
    starts: int = 40
    calls: int = 300


QUICK = Sizes(repeat=1, share=0.02, steps=5, runs=1, starts=2, calls=5)


class Comparison:
    """Collects the rows. Ours come first: the others are compared with those."""

    def __init__(self, sizes: Sizes) -> None:
        self._sizes = sizes
        self._ours: dict[str, float] = {}
        self._ratios: dict[str, float] = {}
        self._rates: list[list[str]] = []
        self._waits: list[list[str]] = []
        self.notes: list[str] = []
        self.failed = False

    def add_ours(self, engine: Engine) -> None:
        """Measure HUMMBL on a database; peers on the same one are compared with it."""
        rates = self._add(engine, lambda rate: "1×")
        if rates:
            self._ours[engine.database] = median(rates)

    def add(self, engine: Engine) -> None:
        """Measure a peer."""
        self._add(engine, lambda rate: self._ratio(engine, rate))

    def text(self) -> str:
        """The tables, what they say of the goal, and why cells have no figures."""
        sizes = self._sizes
        amounts = (
            f"Rates: median of {sizes.repeat} (min–max). Waits: {sizes.steps} steps, median of "
            f"{sizes.runs}; {sizes.starts} starts; {sizes.calls} calls."
        )
        parts = [table(RATES, self._rates), table(WAITS, self._waits), amounts]
        if self._ratios:
            best = min(self._ratios, key=lambda name: self._ratios[name])
            parts.append(
                f"Beside the best peer with {EVERY_TASK}, {best}: {self._ratios[best]:.1f}× "
                f"(goal ≥ {GOAL}×)."
            )
        return "\n\n".join([*parts, *self.notes])

    def _add(self, engine: Engine, compare: Callable[[float], str]) -> list[float]:
        """The rates that were found; without any the engine is asked for nothing else."""
        print(f"Measuring {engine.name} …", file=sys.stderr)
        sizes = self._sizes
        rates: list[float] = []

        def rate() -> str:
            rates.extend([engine.diamonds(sizes.share) for _ in range(sizes.repeat)])
            return spread(rates)

        cell = self._cell(engine, rate)
        self._rates.append([*engine.about, cell, compare(median(rates)) if rates else "–"])
        if rates:
            waits: list[Callable[[], str]] = [
                lambda: f"{spread(engine.sequence(sizes.steps, sizes.runs), '.3f')} s",
                lambda: f"{engine.start(sizes.starts):.1f} ms",
                lambda: "{seconds:.2f} s, {megabytes:.0f} MB".format(**engine.calls(sizes.calls)),
            ]
            self._waits.append([engine.name, *(self._cell(engine, wait) for wait in waits)])
        return rates

    def _ratio(self, engine: Engine, rate: float) -> str:
        if engine.database not in self._ours:
            return "–"
        ratio = self._ours[engine.database] / rate
        if engine.about[0] == EVERY_TASK:
            self._ratios[engine.name] = ratio
        return f"{ratio:.1f}×"

    def _cell(self, engine: Engine, measured: Callable[[], str]) -> str:
        try:
            return measured()
        except Skipped as reason:
            self.notes.append(f"{engine.name}: skipped, because {reason}.")
            return "skipped"
        except Failed as complaint:
            self.notes.append(f"{engine.name} failed:\n{complaint}")
            self.failed = True
            return "failed"
