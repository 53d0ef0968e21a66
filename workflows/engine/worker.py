"""The worker: claims executions, runs them all in one event loop, and outlives its database."""

import asyncio
import logging
import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connections

from hummbl import duties
from observability import database
from workflows import providers
from workflows.engine import dispatchers, wake
from workflows.engine.journal import Journal
from workflows.engine.keys import KeyReader
from workflows.engine.measures import Measures
from workflows.engine.records import Batch, ExecutionState
from workflows.engine.run import Complete, LeaseLost, Run, Tools
from workflows.engine.writer import LOOK_FOR_CANCELLED, Claim, Stop, Writer
from workflows.models.worker import HEARTBEAT_SECONDS

logger = logging.getLogger(__name__)

# Wake-ups make this rare; it finds what a dead worker left, and what a lost wake-up missed.
POLL_SECONDS = 1.0
HAND_OVER_SECONDS = 2.5
CLOSE_SECONDS = 2.0
RECONNECT_SECONDS = (0.2, 1.0, 2.0, 5.0)
# A worker that begins leaves slow duties alone for so long: first it runs what waits.
SETTLE_SECONDS = 60.0


class Worker:
    """One worker process. `run` returns after `stop`, or when the worker cannot go on.

    `concurrency` bounds the executions under way, `lease` is in seconds. `complete` is how a
    model is called, inside what `slot` gives for its provider.
    """

    def __init__(
        self,
        *,
        concurrency: int | None = None,
        lease: float | None = None,
        complete: Complete = providers.complete,
        slot: Callable[[str], AbstractAsyncContextManager[object]] = providers.slot,
    ) -> None:
        self.concurrency = concurrency or settings.WORKER_CONCURRENCY
        self.lease = lease or settings.LEASE_SECONDS
        self.name = f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"
        self.runs: dict[str, Run] = {}
        self._complete, self._slot = complete, slot
        self._keys = KeyReader()
        self._measures = Measures()
        self._listener: wake.Listener | None = None
        self._duties: dict[bool, threading.Thread] = {}  # by whether they are the slow ones
        self._dispatcher_class = dispatchers.chosen()
        self._stopping = False

    async def run(self) -> None:
        """Work until stopped. Raises what ended the writer, but for a database that was away."""
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        self._writer_ended = asyncio.Event()
        self._failure: BaseException | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self.stop)
        database.measure()
        logger.info("Worker %s is ready for %s executions", self.name, self.concurrency)
        self._settled_at = self._loop.time() + SETTLE_SECONDS
        failures = -1
        while not self._stopping:
            self._start_writer()
            failure = await self._work()
            if failure is not None:
                failures = 0 if self._answered else failures + 1
                pause = RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)]
                await self._survive(failure, pause, is_news=failures == 0)
        await self._hand_over()

    def stop(self) -> None:
        """Hand the executions back and end; what a signal calls."""
        self._stopping = True
        self._stopped.set()

    def _start_writer(self) -> None:
        self._failure = None
        self._writer_ended.clear()
        self._writer = Writer(
            self.name,
            self.lease,
            listener=self,
            call=self._loop.call_soon_threadsafe,
            busy=self.runs.__len__,
            heartbeat=HEARTBEAT_SECONDS,
            version=settings.VERSION,
        )
        self._journal = Journal(self._loop, self._writer.submit)
        self._tools = Tools(
            journal=self._journal,
            measures=self._measures,
            complete=self._complete,
            slot=self._slot,
            credential=self._keys.read,
            on_end=self._on_end,
            execution_timeout=settings.EXECUTION_TIMEOUT,
        )
        self._writer.start()
        self._dispatcher = self._dispatcher_class(self)
        self._dispatcher.open()

    async def _work(self) -> BaseException | None:
        """Poll until stopped, or until the writer ends: then what ended it."""
        self._answered = False
        while not self._stopping and self._failure is None:
            await self._listen()
            self._poll()
            ends = [
                self._loop.create_task(self._stopped.wait()),
                self._loop.create_task(self._writer_ended.wait()),
            ]
            await asyncio.wait(ends, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            for end in ends:
                end.cancel()
        return self._failure

    def _poll(self) -> None:
        """What is done every second."""
        self._dispatcher.poll()
        self._measures.record()
        self._do_duties(slow=False)
        if self._loop.time() >= self._settled_at:
            self._do_duties(slow=True)

    def _do_duties(self, *, slow: bool) -> None:
        """Do what is due, in a thread; of each kind one at a time."""
        busy = self._duties.get(slow)
        if duties.is_due(slow=slow) and not (busy and busy.is_alive()):
            options = {"slow": slow, "stopped": self._stopped.is_set}
            thread = threading.Thread(target=duties.run_due, kwargs=options, daemon=True)
            self._duties[slow] = thread
            thread.start()

    async def _listen(self) -> None:
        if self._listener is None:
            try:
                self._listener = await wake.listen(self._on_wake)
            except (DatabaseError, OSError) as error:
                logger.warning("Cannot listen for wake-ups, polling instead: %s", error)

    async def _survive(self, failure: BaseException, pause: float, *, is_news: bool) -> None:
        """Drop everything and wait for the database, if it is the database that failed."""
        self._abandon_all()
        closing = self._loop.create_task(self._dispatcher.close())
        # It lives if it was another connection that failed. Of two writers, one would renew what
        # the other had claimed and nobody runs.
        self._writer.submit(Stop(hand_back=True))
        await self._loop.run_in_executor(None, self._writer.join)
        await closing
        if not _is_outage(failure):
            await self._close()
            raise failure
        message = "The database does not answer; trying again in %s s: %s"
        if is_news:
            # Once in an outage it is an error that administrators are told of.
            logger.critical(message, pause, failure, exc_info=failure)
        else:
            logger.error(message, pause, failure)
        await asyncio.sleep(pause)

    async def _hand_over(self) -> None:
        logger.info("Worker %s stops and hands %s executions back", self.name, len(self.runs))
        self._journal.flush()
        self._abandon_all()
        closing = self._loop.create_task(self._dispatcher.close())
        if self._failure is None:
            self._writer.submit(Stop(hand_back=True))
            await self._loop.run_in_executor(None, self._writer.join, HAND_OVER_SECONDS)
        await closing
        if self._failure is None:
            await self._announce_free()
        await self._close()

    async def _announce_free(self) -> None:
        try:
            await self._loop.run_in_executor(None, self._dispatcher.announce_free)
        except DatabaseError as error:
            logger.warning("The other workers could not be told; they find out: %s", error)

    async def _close(self) -> None:
        self._measures.record()
        if self._listener:
            self._listener.close()
        self._stopped.set()  # which the duties heed
        # A thread that the database keeps waiting must not keep us.
        ends = [self._loop.run_in_executor(None, self._keys.close)]
        ends += [
            self._loop.run_in_executor(None, thread.join, CLOSE_SECONDS)
            for thread in self._duties.values()
        ]
        await asyncio.wait(ends, timeout=CLOSE_SECONDS)
        await providers.close()

    def _abandon_all(self) -> None:
        for pk in list(self.runs):
            self.runs.pop(pk).abandon()
            self._dispatcher.on_gone(pk)

    # --- Claiming ---

    @property
    def room(self) -> int:
        """How many more executions may be claimed now."""
        if self._stopping or self._failure is not None:
            return 0
        return max(0, self.concurrency - len(self.runs))

    def has(self, pk: str) -> bool:
        """Whether the execution is under way here."""
        return pk in self.runs

    def claim(self, limit: int, ids: Sequence[str] = ()) -> None:
        """Ask the writer for executions: `on_claimed` and `on_refused` are the answer."""
        self._writer.submit(Claim(limit, tuple(ids)))

    def _on_wake(self, kind: str) -> None:
        if kind == wake.CLOSED:
            self._listener = None
        elif kind == wake.CANCEL:
            self._writer.submit(LOOK_FOR_CANCELLED)
        else:
            self._dispatcher.look()

    def on_claimed(self, claimed: list[ExecutionState]) -> None:
        """Start what was claimed."""
        self._answered = True
        if self._stopping or self._failure is not None:
            return  # the hand-over gives them back
        for state in claimed:
            self._start(state)
        self._dispatcher.on_claimed(len(claimed))

    def on_refused(self, executions: list[str]) -> None:
        """Tell the dispatcher, which asked for them."""
        self._dispatcher.on_refused(executions)

    def _start(self, state: ExecutionState) -> None:
        run = self.runs[state.pk] = Run(state, self._tools)
        try:
            run.start()
        except Exception:
            # One execution that cannot start must not be claimed for ever, nor stop the others.
            logger.exception("Execution %s could not be started", state.pk)
            run.give_up("The execution could not be started. The reason is in the operator's log.")

    # --- What the writer reports ---

    def on_committed(self, batch: Batch, lost: set[str]) -> None:
        """Let go on what waited for this commit."""
        self._answered = True
        for pk in lost:
            self._lose(pk)
        for pk, future in batch.waiters:
            if not future.done():
                if pk in lost:
                    future.set_exception(LeaseLost())
                else:
                    future.set_result(None)

    def on_leases(self, held: list[tuple[str, bool]]) -> None:
        """Stop what we no longer hold, cancel what someone wants cancelled."""
        self._answered = True
        self.on_cancelled([pk for pk, cancel in held if cancel])
        kept = {pk for pk, _ in held}
        for pk in [pk for pk, run in self.runs.items() if pk not in kept and not run.over]:
            self._lose(pk)

    def on_cancelled(self, executions: list[str]) -> None:
        """Cancel those that are still under way."""
        for pk in executions:
            if run := self.runs.get(pk):
                run.cancel()

    def on_writer_failed(self, error: BaseException) -> None:
        """End this round of work; what is durable is in the tables."""
        self._failure = self._failure or error
        self._writer_ended.set()

    def on_dispatcher_failed(self, error: BaseException) -> None:
        """The same: what the dispatcher lost, the writer is about to lose."""
        self.on_writer_failed(error)

    def _lose(self, pk: str) -> None:
        if run := self.runs.pop(pk, None):
            logger.warning("Lost the lease of execution %s", pk)
            run.abandon()
            self._dispatcher.on_gone(pk)

    def _on_end(self, run: Run) -> None:
        self.runs.pop(run.state.pk, None)
        self._dispatcher.on_gone(run.state.pk)


def _is_outage(error: BaseException) -> bool:
    """Whether the database is away, rather than our statement wrong."""
    # The engine uses the driver below Django, so that both may complain.
    driver: Any = connections["default"].Database  # type: ignore[attr-defined] # see its stubs
    kinds = (OperationalError, InterfaceError, driver.OperationalError, driver.InterfaceError)
    return isinstance(error, kinds)
