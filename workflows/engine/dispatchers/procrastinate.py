"""For many machines: a job of Procrastinate's per execution, in the same PostgreSQL.

The job is deferred by the transaction that creates the execution and carries nothing but its id. It
says "this execution wants a worker"; whoever fetches it claims exactly that execution, and the job
is over, and deleted, when the execution has left the worker. A job whose execution is over, or held
by somebody else, is over at once. So a job too many does no harm, and one too few is made up for by
`sweep`, which every worker with room runs every second or two.
"""

import asyncio
import logging
import random
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from django.db import OperationalError, connection

from workflows.engine import wake
from workflows.engine.dispatchers.base import Dispatcher, Host

if TYPE_CHECKING:
    from procrastinate import App

logger = logging.getLogger(__name__)

QUEUE = "executions"
TASK = "execution"
# One to fetch with, the others for the ends of jobs.
POOL_SIZE = 4
CONNECT_SECONDS = 5.0
# Procrastinate hears of a job while it fetches another one, and forgets it: then this helps.
FETCH_SECONDS = 1.0
NEVER = 1e9  # cancelling is our own affair, and has its own wake-up
SWEEP_SECONDS = (0.5, 1.5)
CLOSE_SECONDS = 2.0


class ProcrastinateDispatcher(Dispatcher):
    """Runs Procrastinate's own asynchronous worker in the loop of ours."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._jobs: dict[str, asyncio.Future[None]] = {}
        self._sweeping = self._sweep_again = self._closing = False
        self._sweep_at = 0.0
        self._tasks: list[asyncio.Task[None]] = []  # the service, and the latest sweep
        self._worker: Any = None  # Procrastinate's, once it runs; its types are incomplete

    @staticmethod
    def announce(execution: uuid.UUID) -> None:
        """Defer a job over Django's connection: it is there if and only if the execution is.

        Raises DatabaseError.
        """
        from procrastinate.contrib.django import app
        from procrastinate.exceptions import ConnectorException

        job = app.configure_task(TASK, queue=QUEUE, queueing_lock=str(execution))
        try:
            job.defer(execution=execution.hex)
        except ConnectorException as error:
            # Who makes an execution knows of Django's errors, not of Procrastinate's.
            with connection.wrap_database_errors:
                raise (error.__cause__ or error) from None

    @staticmethod
    def announce_free() -> None:
        """Defer jobs again, and wake the workers of the other dispatcher too."""
        from workflows.engine.dispatchers.jobs import sweep

        sweep()
        wake.notify_now(wake.NEW)

    def open(self) -> None:
        """Begin to fetch jobs."""
        self._loop = asyncio.get_running_loop()
        self._tasks = [self._loop.create_task(self._serve())]

    async def _serve(self) -> None:
        from procrastinate.worker import Worker

        try:
            async with _opened(self._take) as app:
                if not self._closing:
                    self._worker = Worker(
                        app,
                        queues=[QUEUE],
                        concurrency=self.host.concurrency,
                        delete_jobs="always",
                        abort_job_polling_interval=NEVER,
                        fetch_job_polling_interval=FETCH_SECONDS,
                        install_signal_handlers=False,
                    )
                    await self._worker.run()
        except Exception as error:  # noqa: BLE001 - whatever it is, the worker must hear of it
            self._fail(_as_django(error))
        else:
            self._fail(OperationalError("Procrastinate's worker lost its connection."))

    def _fail(self, error: BaseException) -> None:
        if not self._closing:
            self.host.on_dispatcher_failed(error)

    async def _take(self, execution: str) -> None:
        """What a job does: have the execution run here, if it is to be had."""
        if self._closing or execution in self._jobs or self.host.has(execution):
            return
        over = self._jobs[execution] = self._loop.create_future()
        self.host.claim(1, [execution])
        try:
            await over
        finally:
            del self._jobs[execution]

    def on_refused(self, executions: Iterable[str]) -> None:
        """End their jobs."""
        for execution in executions:
            self.on_gone(execution)

    def on_gone(self, execution: str) -> None:
        """End its job."""
        over = self._jobs.get(execution)
        if over is not None and not over.done():
            over.set_result(None)

    def poll(self) -> None:
        """Sweep now and then, not all workers at the same moment."""
        if self._loop.time() >= self._sweep_at:
            self.look()

    def look(self) -> None:
        """Sweep, if we could take what is found; what others have room for, they find."""
        if self._closing or not self.host.room:
            return
        if self._sweeping:
            self._sweep_again = True
            return
        self._sweeping = True
        self._sweep_again = False
        self._sweep_at = self._loop.time() + random.uniform(*SWEEP_SECONDS)  # noqa: S311
        self._tasks[1:] = [self._loop.create_task(self._sweep_once())]

    async def _sweep_once(self) -> None:
        from workflows.engine.dispatchers.jobs import sweep

        try:
            deferred = await self._loop.run_in_executor(None, sweep)
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(error)
            return
        if deferred:
            logger.debug("Deferred %s executions that nobody held", deferred)
        self._sweeping = False
        if self._sweep_again:
            self.look()

    async def close(self) -> None:
        """Fetch no more, and end the jobs."""
        self._closing = True
        for execution in list(self._jobs):
            self.on_gone(execution)
        # A cancellation does not stop one that runs: before Python 3.12 `asyncio.wait_for` forgets
        # a cancellation that arrives together with what it waits for.
        if self._worker is None:
            self._tasks[0].cancel()
        else:
            self._worker.stop()
        # In a network that swallows packets it takes longer, and ends by itself.
        await asyncio.wait(self._tasks, timeout=CLOSE_SECONDS)


@asynccontextmanager
async def _opened(take: Any) -> AsyncIterator["App"]:
    """Procrastinate with its connections, which are closed even if opening them is cut off."""
    app = _app(take)
    try:
        await app.open_async()
        yield app
    finally:
        await app.close_async()


def _app(take: Any) -> "App":
    """Procrastinate with connections of its own, and one task."""
    from procrastinate import App
    from procrastinate.contrib.django import connector_params
    from procrastinate.psycopg_connector import PsycopgConnector

    from workflows.engine.dispatchers.jobs import Jobs

    connector = PsycopgConnector(
        kwargs=connector_params() | {"application_name": wake.APPLICATION_NAME},
        min_size=1,
        max_size=POOL_SIZE,
        timeout=CONNECT_SECONDS,
    )
    app = App(connector=connector)
    app.job_manager = Jobs(connector)
    app.task(name=TASK, queue=QUEUE)(take)
    return app


def _as_django(error: BaseException) -> BaseException:
    """The failure as the worker judges it: an outage, or a mistake."""
    import psycopg

    cause = error.__cause__ or error
    if isinstance(cause, psycopg.errors.ForeignKeyViolation):
        # We were silent for so long that others have taken our row of Procrastinate's workers.
        return OperationalError("Procrastinate's other workers took this one for dead.")
    return cause
