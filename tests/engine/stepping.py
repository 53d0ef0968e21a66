"""Workers without threads and clocks: what they do next is said by a test, one step at a time.

Everything between the event loop and the tables is the real thing. A worker that has done nothing
for a while has slept; one that is forgotten has died.
"""

import asyncio
import time
from dataclasses import dataclass, field

from tests.engine.support import completion, unbounded
from workflows.engine.store import open_store
from workflows.engine.worker import Worker
from workflows.engine.writer import LOOK_FOR_CANCELLED, Stop, Writer
from workflows.providers import Completion, CompletionRequest, Credential

LEASE_SECONDS = 60.0
NEVER = 1e6
# Turns of the loop after which nothing happens any more without an answer or a commit.
TURNS = 16


class SteppedWriter(Writer):
    """Works when it is told to. When it is `deaf`, its process has died before it could say so."""

    deaf = False

    def start(self) -> None:
        self.store = open_store(self._owner, self._lease)
        self.store.hand_back()
        self._next_renewal = self._next_poll = self._next_beat = time.monotonic() + NEVER
        self.waiting: list[object] = []

    def submit(self, item: object) -> None:
        self.waiting.append(item)

    def step(self, items: int) -> None:
        """One round with the first of what waits: so much had come before the writer was free."""
        taken, self.waiting = self.waiting[:items], self.waiting[items:]
        for item in taken:
            self._queue.put(item)
        if taken:
            self._round(self.store)

    def renew(self) -> None:
        """Renew all leases, as every third of one."""
        self._call_back(self._listener.on_leases, self.store.renew())

    def _call_back(self, function, *arguments) -> None:
        if not self.deaf:
            super()._call_back(function, *arguments)


@dataclass
class Call:
    """A call to a provider that has not been answered."""

    run: str
    task: str
    answer: asyncio.Future[Completion] = field(repr=False)

    def end(self, error: Exception | None) -> None:
        """Answer, or fail with this error."""
        if error:
            self.answer.set_exception(error)
        else:
            self.answer.set_result(completion(f"{self.task} done"))


class SteppedWorker(Worker):
    """A worker that a test drives. `calls` waits for answers, `made` counts all calls."""

    def __init__(self, loop: asyncio.AbstractEventLoop, made) -> None:
        super().__init__(complete=self._answer, slot=unbounded, lease=LEASE_SECONDS, concurrency=3)
        self._loop, self._failure = loop, None
        self._keys.read = self._credential
        self._stopped, self._writer_ended = asyncio.Event(), asyncio.Event()
        self.calls: list[Call] = []
        self.made = made
        self._start_writer()

    def settle(self) -> None:
        """Let the loop turn until it waits for us."""

        async def turn() -> None:
            for _ in range(TURNS):
                await asyncio.sleep(0)

        self._loop.run_until_complete(turn())
        self.calls = [call for call in self.calls if not call.answer.done()]

    def step(self, items: int = 100) -> None:
        """Commit what waits, and go on."""
        self._writer.step(items)
        self.settle()

    def look(self) -> None:
        """Claim what is free, as at a wake-up."""
        self._dispatcher.look()
        self.step()

    def renew(self) -> None:
        """Renew the leases, and stop what is lost or cancelled."""
        self._writer.renew()
        self.settle()

    def look_for_cancelled(self) -> None:
        """Hear of a cancellation, as at a wake-up."""
        self._writer.submit(LOOK_FOR_CANCELLED)
        self._writer._next_poll = 0
        self.step()
        self._writer._next_poll = time.monotonic() + NEVER

    def die(self, items: int) -> None:
        """End as by SIGKILL, after a commit of so much of what waits that nobody hears of."""
        self._writer.deaf = True
        self._writer.step(items)
        self._forget()

    def stop(self) -> None:
        """End as by SIGTERM."""
        self._journal.flush()
        self._in_loop(self._abandon_all)
        self._writer.submit(Stop(hand_back=True))
        self._writer.step(len(self._writer.waiting))
        self._forget()

    def lose_database(self, items: int) -> None:
        """Go on after an outage, that came after a commit of so much that nobody heard of."""
        self._writer.deaf = True
        self._writer.step(items)
        self._in_loop(self._abandon_all)
        self._writer.store.close()
        self._start_writer()
        self.settle()

    def _forget(self) -> None:
        self._in_loop(self._abandon_all)
        self._writer.store.close()
        self.settle()

    def _in_loop(self, function) -> None:
        async def call() -> None:
            function()

        self._loop.run_until_complete(call())

    async def _answer(self, request: CompletionRequest, on_delta) -> Completion:
        task, run = request.prompt.removeprefix("Do ").removesuffix(".").split(" of ")
        self.made[run, task] += 1
        call = Call(run, task, self._loop.create_future())
        self.calls.append(call)
        on_delta(f"{task} ")
        completion = await call.answer
        on_delta("done")
        return completion

    async def _credential(self, user_id: str, provider: str, name: str | None) -> Credential:
        # The real one is looked up in a thread: others go on meanwhile.
        for _ in range(TURNS // 4):
            await asyncio.sleep(0)
        return Credential("sk-test", "https://example.com")
