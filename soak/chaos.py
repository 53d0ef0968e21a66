"""Makes go wrong what the plan wants to go wrong, and right again."""

import heapq
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from itertools import count

from soak.fleet import Fleet
from soak.places import Place
from soak.plan import WORKERS, Act, Plan
from tests.llmock import MockServer

logger = logging.getLogger(__name__)

TEND_SECONDS = 0.2


class Chaos:
    """Acts out a plan. `done` counts what happened, by kind."""

    def __init__(self, place: Place, fleet: Fleet, provider: MockServer, begun: float) -> None:
        self.done: Counter[str] = Counter()
        self._place, self._fleet, self._provider, self._begun = place, fleet, provider, begun
        self._ends: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._restarting: list[threading.Thread] = []

    def perform(self, plan: Plan) -> None:
        """Do everything at its time; returns when all is well again."""
        for act in plan.acts:
            self._until(self._begun + act.at)
            if act.kind not in self._place.missing and self._begin(act):
                logger.info("%6.2f s: %s", act.at, _words(act))
                self.done[act.kind] += 1
        while self._ends:
            self._until(self._ends[0][0])
        for thread in self._restarting:
            thread.join()
        self._fleet.start_all()

    def _until(self, moment: float) -> None:
        """Wait, ending meanwhile what has lasted long enough."""
        while True:
            self._fleet.tend()
            now = time.monotonic()
            while self._ends and self._ends[0][0] <= now:
                heapq.heappop(self._ends)[2]()
            if now >= moment:
                return
            following = min([moment, now + TEND_SECONDS, *(end[0] for end in self._ends[:1])])
            time.sleep(max(0.0, following - now))

    def _later(self, seconds: float, end: Callable[[], None]) -> None:
        heapq.heappush(self._ends, (time.monotonic() + seconds, next(self._numbers), end))

    def _begin(self, act: Act) -> bool:
        """Let it happen; whether there was anything that it could happen to."""
        fleet, place, number = self._fleet, self._place, act.worker
        match act.kind:
            case "kill":
                self._later(act.seconds, lambda: fleet.start(number))
                return fleet.kill(number)
            case "pause":
                pid = fleet.pause(number)
                if pid is not None:
                    self._later(act.seconds, lambda: fleet.resume(pid))
                return pid is not None
            case "restart":
                stopped = fleet.stop(number)
                fleet.start(number)
                return stopped
            case "partition":
                machine = place.machines[number]
                machine.cut()
                self._later(act.seconds, machine.heal)
            case "database restart":
                assert place.restart is not None
                mode = "immediate" if act.immediate else "fast"
                # Beside the rest: a paused worker may keep a server from stopping for a while.
                thread = threading.Thread(target=place.restart, args=[mode])
                for earlier in self._restarting:
                    earlier.join()
                thread.start()
                self._restarting.append(thread)
            case "disk full":
                assert place.disk is not None
                place.disk.fill()
                self._later(act.seconds, place.disk.free)
            case _:
                self._provider.script(act.fault)
        return True


def _words(act: Act) -> str:
    """The act in a line of the log."""
    match act.kind:
        case "provider":
            return f"provider: {act.fault}"
        case "database restart":
            return f"{act.kind} ({'immediate' if act.immediate else 'fast'})"
        case "disk full":
            return f"{act.kind} for {act.seconds:g} s"
        case _:
            return f"{act.kind} worker {act.worker} of {WORKERS}, {act.seconds:g} s"
