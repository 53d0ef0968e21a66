"""The worker: claims executions, runs them all in one event loop, and outlives its database."""

import asyncio
import logging
import os
import secrets
import signal
import socket
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connection, connections

from accounts.models import User
from hummbl import retention
from workflows import providers
from workflows.engine import wake
from workflows.engine.journal import Journal
from workflows.engine.records import Batch, ExecutionState
from workflows.engine.run import Complete, LeaseLost, Run, Tools
from workflows.engine.writer import LOOK_FOR_CANCELLED, Claim, Stop, Writer
from workflows.models.api_key import ApiKey
from workflows.models.worker import HEARTBEAT_SECONDS
from workflows.providers import Credential, ProviderError

logger = logging.getLogger(__name__)

CLAIM_AT_ONCE = 50
# Wake-ups make this rare; it finds what a dead worker left, and what a lost wake-up missed.
POLL_SECONDS = 1.0
HAND_OVER_SECONDS = 2.5
RECONNECT_SECONDS = (0.2, 1.0, 2.0, 5.0)
# How often each worker asks whether the hourly cleaning is due.
CLEAN_UP_SECONDS = 60.0


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
        self._readers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="engine-reader")
        self._listener: wake.Listener | None = None
        self._claiming = self._claim_again = self._more = self._stopping = False

    async def run(self) -> None:
        """Work until stopped. Raises what ended the writer, but for a database that was away."""
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        self._writer_ended = asyncio.Event()
        self._failure: BaseException | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self.stop)
        logger.info("Worker %s is ready for %s executions", self.name, self.concurrency)
        self._clean_up_at = self._loop.time() + CLEAN_UP_SECONDS
        failures = 0
        while not self._stopping:
            self._start_writer()
            failure = await self._work()
            if failure is not None:
                failures = 0 if self._answered else failures + 1
                pause = RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)]
                await self._survive(failure, pause)
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
            complete=self._complete,
            slot=self._slot,
            credential=self._credential,
            on_end=self._on_end,
            execution_timeout=settings.EXECUTION_TIMEOUT,
        )
        self._writer.start()

    async def _work(self) -> BaseException | None:
        """Poll until stopped, or until the writer ends: then what ended it."""
        self._claiming = self._claim_again = self._answered = False
        while not self._stopping and self._failure is None:
            await self._listen()
            self._claim()
            self._clean_up()
            ends = [
                self._loop.create_task(self._stopped.wait()),
                self._loop.create_task(self._writer_ended.wait()),
            ]
            await asyncio.wait(ends, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            for end in ends:
                end.cancel()
        return self._failure

    def _clean_up(self) -> None:
        """Delete what has expired, in a thread that ends with the process."""
        if self._loop.time() >= self._clean_up_at:
            self._clean_up_at = self._loop.time() + CLEAN_UP_SECONDS
            stopped = self._stopped.is_set
            threading.Thread(target=retention.run_hourly, args=[stopped], daemon=True).start()

    async def _listen(self) -> None:
        if self._listener is None:
            try:
                self._listener = await wake.listen(self._on_wake)
            except (DatabaseError, OSError) as error:
                logger.warning("Cannot listen for wake-ups, polling instead: %s", error)

    async def _survive(self, failure: BaseException, pause: float) -> None:
        """Drop everything and wait for the database, if it is the database that failed."""
        self._abandon_all()
        if not _is_outage(failure):
            await self._close()
            raise failure
        logger.error("The database does not answer; trying again in %s s: %s", pause, failure)
        await asyncio.sleep(pause)

    async def _hand_over(self) -> None:
        logger.info("Worker %s stops and hands %s executions back", self.name, len(self.runs))
        self._journal.flush()
        self._abandon_all()
        if self._failure is None:
            self._writer.submit(Stop(hand_back=True))
            await self._loop.run_in_executor(None, self._writer.join, HAND_OVER_SECONDS)
            await self._loop.run_in_executor(None, wake.notify_now, wake.NEW)
        await self._close()

    async def _close(self) -> None:
        if self._listener:
            self._listener.close()
            self._listener = None
        self._readers.shutdown(wait=False, cancel_futures=True)
        await providers.close()

    def _abandon_all(self) -> None:
        for run in self.runs.values():
            run.abandon()
        self.runs.clear()

    # --- Claiming ---

    def _on_wake(self, kind: str) -> None:
        if kind == wake.CLOSED:
            self._listener = None
        elif kind == wake.CANCEL:
            self._writer.submit(LOOK_FOR_CANCELLED)
        else:
            self._claim()

    def _claim(self) -> None:
        """Ask the writer for executions, unless it is asked already or we are full."""
        room = min(CLAIM_AT_ONCE, self.concurrency - len(self.runs))
        if self._claiming:
            self._claim_again = True
        elif room > 0 and not self._stopping:
            self._claiming = True
            self._claim_again = False
            self._asked_for = room
            self._writer.submit(Claim(room))

    def on_claimed(self, claimed: list[ExecutionState]) -> None:
        """Start what was claimed, and claim again if there may be more."""
        self._claiming = False
        self._answered = True
        if self._stopping or self._failure is not None:
            return  # the hand-over gives them back
        for state in claimed:
            self._start(state)
        self._more = len(claimed) == self._asked_for
        if self._more or self._claim_again:
            self._claim()

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
        self._failure = error
        self._writer_ended.set()

    def _lose(self, pk: str) -> None:
        if run := self.runs.pop(pk, None):
            logger.warning("Lost the lease of execution %s", pk)
            run.abandon()

    def _on_end(self, run: Run) -> None:
        self.runs.pop(run.state.pk, None)
        if self._more:
            self._claim()

    # --- Keys ---

    async def _credential(self, user_id: str, provider: str, name: str | None) -> Credential:
        """The key to call a provider with. Raises AppError when there is none."""
        try:
            return await self._loop.run_in_executor(
                self._readers, _find_credential, user_id, provider, name
            )
        except DatabaseError as error:
            raise ProviderError(
                "The database did not answer while the key was looked up.",
                code="database",
                retryable=True,
            ) from error


def _find_credential(user_id: str, provider: str, name: str | None) -> Credential:
    try:
        user = User.objects.get(pk=uuid.UUID(user_id))
        return ApiKey.objects.for_call(user, provider, name)
    finally:
        connection.close()


def _is_outage(error: BaseException) -> bool:
    """Whether the database is away, rather than our statement wrong."""
    # The engine uses the driver below Django, so that both may complain.
    driver: Any = connections["default"].Database  # type: ignore[attr-defined] # see its stubs
    kinds = (OperationalError, InterfaceError, driver.OperationalError, driver.InterfaceError)
    return isinstance(error, kinds)
