"""The one thread of a worker that writes: group commit without a timer.

Whatever has gathered while the last commit was under way goes into the next one. The same
thread renews the leases and looks for cancellations, so that a busy event loop loses nothing.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from observability import metrics
from observability.database import COMMIT
from observability.names import DB_ERRORS, DB_QUERY_DURATION
from workflows.engine.records import Batch, ExecutionState
from workflows.engine.store import Store, open_store

logger = logging.getLogger(__name__)

CANCEL_POLL_SECONDS = 0.5


class Listener(Protocol):
    """The event loop's side. Every method is called in the loop's thread."""

    def on_committed(self, batch: Batch, lost: set[str]) -> None:
        """The batch is durable, but for these executions, whose lease is gone."""

    def on_claimed(self, claimed: list[ExecutionState]) -> None:
        """Executions to run, maybe none."""

    def on_refused(self, executions: list[str]) -> None:
        """Executions that were asked for by name, and that somebody else holds or has ended."""

    def on_leases(self, held: list[tuple[str, bool]]) -> None:
        """All that we hold, and whether each is to be cancelled."""

    def on_cancelled(self, executions: list[str]) -> None:
        """Executions that are to be cancelled."""

    def on_writer_failed(self, error: BaseException) -> None:
        """The writer has ended; nothing that was not reported as committed is certain."""


@dataclass(slots=True)
class Work:
    """What one round of the writer does."""

    batch: Batch | None = None
    claim: int = 0
    wanted: list[str] = field(default_factory=list)
    look_for_cancelled: bool = False
    stop: bool = False
    hand_back: bool = False

    def add(self, item: object) -> None:
        """Add one request; later batches merge into the first."""
        if isinstance(item, Batch):
            if self.batch is None:
                self.batch = item
            else:
                self.batch.merge(item)
        elif isinstance(item, Claim):
            if item.ids:
                self.wanted += item.ids
            else:
                self.claim = item.limit
        elif item is LOOK_FOR_CANCELLED:
            self.look_for_cancelled = True
        elif isinstance(item, Stop):
            self.stop, self.hand_back = True, item.hand_back


@dataclass(frozen=True, slots=True)
class Claim:
    """Claim up to `limit` executions, or those of `ids` that are free."""

    limit: int
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stop:
    """End the thread after what is queued; `hand_back` gives up the leases."""

    hand_back: bool


LOOK_FOR_CANCELLED = object()


class Writer(threading.Thread):
    """Commits what the event loop hands over and calls it back.

    `call` runs a function in the loop's thread (`loop.call_soon_threadsafe`). `busy` tells how
    many executions are under way. `lease` and `heartbeat` are in seconds.
    """

    def __init__(
        self,
        owner: str,
        lease: float,
        *,
        listener: Listener,
        call: Callable[..., Any],
        busy: Callable[[], int],
        heartbeat: float,
        version: str,
    ) -> None:
        super().__init__(name="engine-writer", daemon=True)
        self._owner, self._lease = owner, lease
        self._listener, self._call, self._busy = listener, call, busy
        self._heartbeat, self._version = heartbeat, version
        self._queue: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._next_renewal = self._next_poll = self._next_beat = 0.0

    def submit(self, item: "Batch | Claim | Stop | object") -> None:
        """Queue a batch or a request. Never blocks."""
        self._queue.put(item)

    def run(self) -> None:
        """Work until told to stop, or until the database refuses."""
        store = None
        try:
            store = open_store(self._owner, self._lease)
            # What we ran before the database went away nobody runs now, and it must not be
            # renewed together with what we claim from here on.
            store.hand_back()
            store.beat(self._version, 0)
            self._next_beat = time.monotonic() + self._heartbeat
            self._next_renewal = time.monotonic() + self._lease / 3
            while self._round(store):
                pass
        except Exception as error:  # noqa: BLE001 - whatever it is, the loop must hear of it
            metrics.count(DB_ERRORS, error=type(error).__name__)
            self._call_back(self._listener.on_writer_failed, error)
        finally:
            if store is not None:
                store.close()

    def _round(self, store: Store) -> bool:
        work = self._gather()
        if work.batch is not None:
            with metrics.timer(DB_QUERY_DURATION, operation=COMMIT):
                lost = store.apply(work.batch)
            self._call_back(self._listener.on_committed, work.batch, lost)
        if work.stop:
            if work.hand_back:
                store.hand_back()
            store.leave()
            return False
        if work.claim:
            self._call_back(self._listener.on_claimed, store.claim(work.claim))
        if work.wanted:
            self._claim_wanted(store, work.wanted)
        self._tend(store, work.look_for_cancelled)
        return True

    def _claim_wanted(self, store: Store, wanted: list[str]) -> None:
        claimed = store.claim(len(wanted), wanted)
        if claimed:
            self._call_back(self._listener.on_claimed, claimed)
        if refused := set(wanted) - {state.pk for state in claimed}:
            self._call_back(self._listener.on_refused, sorted(refused))

    def _gather(self) -> Work:
        work = Work()
        try:
            work.add(self._queue.get(timeout=self._patience()))
            while True:
                work.add(self._queue.get_nowait())
        except queue.Empty:
            return work

    def _patience(self) -> float:
        """Seconds until something other than a request is due."""
        due = self._next_beat
        if self._busy():
            due = min(due, self._next_renewal, self._next_poll)
        return max(0.0, due - time.monotonic())

    def _tend(self, store: Store, look_for_cancelled: bool) -> None:
        """Renew leases, look for cancellations and give a sign of life, each when it is due."""
        now = time.monotonic()
        busy = self._busy()
        if busy and now >= self._next_renewal:
            self._next_renewal = now + self._lease / 3
            self._next_poll = now + CANCEL_POLL_SECONDS
            self._call_back(self._listener.on_leases, store.renew())
        elif busy and (look_for_cancelled or now >= self._next_poll):
            self._next_poll = now + CANCEL_POLL_SECONDS
            cancelled = store.cancelled()
            if cancelled:
                self._call_back(self._listener.on_cancelled, cancelled)
        if now >= self._next_beat:
            self._next_beat = now + self._heartbeat
            store.beat(self._version, busy)

    def _call_back(self, function: Callable[..., None], *arguments: Any) -> None:
        try:
            self._call(function, *arguments)
        except RuntimeError:
            # The loop has been closed under us: nobody is left to tell.
            logger.debug("The event loop ended before %s", function.__name__)
