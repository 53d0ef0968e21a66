"""The live stream of an execution: its events as Server-Sent Events, replayed and then followed.

However many streams are open, one task a process asks the database, five times a second: whether
anything was committed, then which of the watched executions have moved, then for their new
events. A stream holds no queue of its own: it reads from what the task keeps of the last events,
and a client too slow for that reads from the database again. Source of the format: HTML Living
Standard, section 9.2.
"""

import asyncio
import itertools
import logging
import time
import weakref
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial, reduce
from operator import or_
from typing import Any, Final, TypeVar
from uuid import UUID

from django import db
from django.db.models import Q

from accounts.models import AccessToken, Session
from hummbl.api.renderers import dumps
from workflows.models import ExecutionEvent
from workflows.models.states import TERMINAL_STATUSES
from workflows.queries import among, database_version, moved_executions

logger = logging.getLogger(__name__)

# Seconds.
HEARTBEAT: Final = 15.0
POLL: Final = 0.2
CHECK: Final = 1.0
RETRY: Final = 2.0
# Events: kept in memory of each execution; sent at once.
RECENT: Final = 128
PAGE: Final = 100
_CHUNK: Final = 100

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Event:
    """An event as it is sent; `is_last` when the execution has ended with it."""

    execution_id: UUID
    sequence: int
    frame: bytes
    is_last: bool


# What a stream was asked for with; and the same by its model and id, and the user's role then.
Credential = Session | AccessToken
Asker = tuple[type[Credential], UUID, str]
# New events by execution, and whether no more will come.
Moved = dict[UUID, tuple[list[Event], bool]]


async def events(
    execution_id: UUID, *, credential: Credential, after: int = 0
) -> AsyncGenerator[bytes]:
    """The events that follow number `after`, until the execution has ended.

    A comment goes out after 14 to 15 seconds of silence. Whether the user may see the execution is
    for the caller to check; that the session or token has ended meanwhile is noticed here, and that
    the user has another role, who then asks again and may be refused.
    """
    asker = (type(credential), credential.pk, credential.user.role)
    reader = _reader()
    with reader.watch(execution_id, asker) as feed:
        while asker not in reader.refused:
            changed = feed.changed
            batch = feed.after(after)
            if batch is None:
                batch = await reader.page(execution_id, after)
                if not batch:
                    after = reader.start(feed, after)
            if batch:
                yield b"".join(event.frame for event in batch)
                after = batch[-1].sequence
                if batch[-1].is_last:
                    return
            elif feed.closed:
                return
            else:
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(_next_beat()):
                        await changed.wait()
                    continue
                yield b": still here\n\n"


def _next_beat() -> float:
    """When a stream that begins to wait now is next to say that it is there, in the loop's time.

    Those that are due within a second say it together: a process that wakes for each of a
    thousand takes twice as long.
    """
    now = asyncio.get_running_loop().time()
    return now + HEARTBEAT - now % (HEARTBEAT / 15)


class Feed:
    """The last events of one execution, shared by all who watch it.

    `recent` has all events after number `start` up to number `last`, which is None until someone
    has caught up with the database.
    """

    __slots__ = ("changed", "closed", "last", "recent", "start", "watchers")

    def __init__(self) -> None:
        self.recent: deque[Event] = deque()
        self.start = 0
        self.last: int | None = None
        self.closed = False
        self.changed = asyncio.Event()
        self.watchers = 0

    def after(self, sequence: int) -> list[Event] | None:
        """The next events after that number; None when memory does not reach back so far."""
        if self.last is None or sequence < self.start:
            return None
        newest_first = itertools.takewhile(lambda e: e.sequence > sequence, reversed(self.recent))
        return list(newest_first)[: -PAGE - 1 : -1]

    def publish(self, fresh: Iterable[Event], *, closed: bool) -> None:
        """Append new events and wake every watcher."""
        for event in fresh:
            self.recent.append(event)
            self.last = event.sequence
        while len(self.recent) > RECENT:
            self.start = self.recent.popleft().sequence
        self.closed = closed
        waiting, self.changed = self.changed, asyncio.Event()
        waiting.set()


class Reader:
    """Asks the database on behalf of all streams of an event loop, in a thread of its own."""

    def __init__(self) -> None:
        self.refused: set[Asker] = set()
        self._feeds: dict[UUID, Feed] = {}
        self._askers: Counter[Asker] = Counter()
        self._pages: dict[tuple[UUID, int], asyncio.Task[list[Event]]] = {}
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="event-reader")
        # What the database was like at the last look, and when credentials were last looked at.
        self._version: object = None
        self._checked = 0.0
        self._is_check_due = False

    @contextmanager
    def watch(self, execution_id: UUID, asker: Asker) -> Iterator[Feed]:
        """The feed of an execution, kept current until the block is left."""
        feed = self._feeds.setdefault(execution_id, Feed())
        feed.watchers += 1
        self._askers[asker] += 1
        if self._task is None:
            self._task = asyncio.create_task(self._follow())
        try:
            yield feed
        finally:
            feed.watchers -= 1
            self._askers[asker] -= 1
            if not self._askers[asker]:
                del self._askers[asker]
                self.refused.discard(asker)
            if not feed.watchers:
                del self._feeds[execution_id]
            if not self._feeds:
                self._stop()

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._disconnect()

    def start(self, feed: Feed, sequence: int) -> int:
        """Follow from here on, unless the feed is further; says from where it is."""
        if feed.last is None:
            feed.start = feed.last = sequence
            # It may have moved since its page was read, which the last look did not ask about.
            self._version = None
        return max(sequence, feed.start)

    async def page(self, execution_id: UUID, after: int) -> list[Event]:
        """The next events from the database; who asks the same at one time shares the answer."""
        key = execution_id, after
        if key not in self._pages:
            read = self._in_thread(lambda: list(_read({execution_id: after}, limit=PAGE)))
            self._pages[key] = asyncio.create_task(read)
            self._pages[key].add_done_callback(lambda _: self._pages.pop(key))
        return await asyncio.shield(self._pages[key])

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(POLL)
            try:
                await self._look()
                await self._check()
            except Exception:
                # Whatever it is: all streams depend on this task.
                logger.exception("Reading events failed; trying again in %s s", RETRY)
                self._disconnect()
                await asyncio.sleep(RETRY)

    async def _look(self) -> None:
        """Publish what is new, if anything was committed since the last look."""
        seen, self._version = self._version, await self._in_thread(database_version)
        if seen == self._version:
            return
        self._is_check_due = True
        known = {
            pk: feed.last
            for pk, feed in self._feeds.items()
            if feed.last is not None and not feed.closed
        }
        moved = await self._in_thread(partial(_moved, known))
        for pk, (fresh, closed) in moved.items():
            if feed := self._feeds.get(pk):
                feed.publish((e for e in fresh if e.sequence > (feed.last or 0)), closed=closed)

    async def _check(self) -> None:
        """End the streams whose session or token is not what it was.

        What ends by time alone is noticed within a heartbeat.
        """
        now = time.monotonic()
        if now < self._checked + (CHECK if self._is_check_due else HEARTBEAT):
            return
        self._checked, self._is_check_due = now, False
        refused = await self._in_thread(partial(_ended, frozenset(self._askers)))
        if refused:
            self.refused |= refused & self._askers.keys()
            for feed in self._feeds.values():
                feed.publish((), closed=feed.closed)

    def _disconnect(self) -> None:
        # SQLite counts its versions for each connection on its own.
        self._version = None
        self._thread.submit(db.connections.close_all)


def _moved(known: Mapping[UUID, int]) -> Moved:
    """What is new beyond the known sequences, by execution, and whether that is all there is."""
    found = moved_executions(known) if known else {}
    behind = {pk: known[pk] for pk, (last, _) in found.items() if last > known[pk]}
    fresh: dict[UUID, list[Event]] = {pk: [] for pk in behind}
    for chunk in _chunks(list(behind), _CHUNK):
        for event in _read({pk: behind[pk] for pk in chunk}):
            fresh[event.execution_id].append(event)
    # Nothing more will come of what had ended before these were read, or was no longer there.
    return {
        pk: (fresh.get(pk, []), not status or status in TERMINAL_STATUSES)
        for pk, (_, status) in found.items()
    }


def _ended(askers: Iterable[Asker]) -> set[Asker]:
    left = set(askers)
    for model in (Session, AccessToken):
        if keys := [pk for kind, pk, _ in left if kind is model]:
            alive = model.objects.alive().filter(pk__in=among(keys)).order_by()
            left.difference_update((model, *row) for row in alive.values_list("pk", "user__role"))
    return left


def _read(after: Mapping[UUID, int], limit: int | None = None) -> Iterator[Event]:
    wanted = reduce(or_, (Q(execution_id=pk, sequence__gt=last) for pk, last in after.items()))
    rows = ExecutionEvent.objects.filter(wanted).order_by("execution_id", "sequence")
    fields = rows.values_list("execution_id", "sequence", "type", "data")
    for pk, sequence, type_, data in fields[:limit]:
        yield Event(pk, sequence, _frame(sequence, type_, data), _is_last(type_, data))


def _frame(sequence: int, type_: str, data: Any) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (sequence, type_.encode(), dumps(data))


def _is_last(type_: str, data: Mapping[str, Any]) -> bool:
    return type_ == "execution" and data.get("status") in TERMINAL_STATUSES


def _chunks(items: list[UUID], size: int) -> Iterator[list[UUID]]:
    return (items[start : start + size] for start in range(0, len(items), size))


_readers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Reader] = weakref.WeakKeyDictionary()


def _reader() -> Reader:
    loop = asyncio.get_running_loop()
    reader = _readers.get(loop)
    if reader is None:
        reader = _readers[loop] = Reader()
    return reader
