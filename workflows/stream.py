"""The live stream of an execution: its events as Server-Sent Events, replayed and then followed.

However many streams are open, one task a process asks the database: which of the watched
executions have moved, then for their new events. A stream holds no queue of its own: it reads
from what the task keeps of the last events, and a client too slow for that reads from the
database again. Source of the format: HTML Living Standard, section 9.2.
"""

import asyncio
import itertools
import logging
import time
import weakref
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial, reduce
from operator import or_
from typing import Any, Final, TypeVar
from uuid import UUID

from asgiref.sync import SyncToAsync
from django import db
from django.db.models import Q

from accounts.models import AccessToken, Session
from hummbl.api.renderers import dumps
from workflows.models import Execution, ExecutionEvent
from workflows.models.states import TERMINAL_STATUSES

logger = logging.getLogger(__name__)

HEARTBEAT: Final = 15.0
POLL: Final = 0.2
RECENT: Final = 512
PAGE: Final = 500
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
) -> AsyncIterator[bytes]:
    """The events that follow number `after`, until the execution has ended.

    A comment goes out after 15 seconds of silence. Whether the user may see the execution is for
    the caller to check; that the session or token has ended meanwhile is noticed here, and that
    the user has another role, who then asks again and may be refused.
    """
    asker = (type(credential), credential.pk, credential.user.role)
    _release_request_thread()
    reader = _reader()
    with reader.watch(execution_id, asker) as feed:
        while asker not in reader.refused:
            changed = feed.changed
            batch = feed.after(after)
            if batch is None:
                batch = await reader.page(execution_id, after)
                if not batch:
                    after = feed.start(after)
            for event in batch:
                yield event.frame
                after = event.sequence
                if event.is_last:
                    return
            if batch:
                continue
            if feed.closed:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), HEARTBEAT)
                continue
            yield b": still here\n\n"


class Feed:
    """The last events of one execution, shared by all who watch it.

    `recent` has no gap and ends with number `last`, which is None until someone has caught up
    with the database.
    """

    __slots__ = ("changed", "closed", "last", "recent", "watchers")

    def __init__(self) -> None:
        self.recent: deque[Event] = deque(maxlen=RECENT)
        self.last: int | None = None
        self.closed = False
        self.changed = asyncio.Event()
        self.watchers = 0

    def start(self, sequence: int) -> int:
        """Follow from here on, unless the feed is further; says from where it is."""
        if self.last is None:
            self.last = sequence
        return max(sequence, self.last - len(self.recent))

    def after(self, sequence: int) -> list[Event] | None:
        """What follows that number; None when memory does not reach back so far."""
        if self.last is None:
            return None
        missing = self.last - sequence
        if missing > len(self.recent):
            return None
        first = len(self.recent) - max(missing, 0)
        return list(itertools.islice(self.recent, first, None))

    def publish(self, fresh: Iterable[Event], *, closed: bool) -> None:
        """Append new events and wake every watcher."""
        for event in fresh:
            self.recent.append(event)
            self.last = event.sequence
        self.closed = closed
        waiting, self.changed = self.changed, asyncio.Event()
        waiting.set()


class Reader:
    """Asks the database on behalf of all streams of an event loop, in a thread of its own."""

    def __init__(self) -> None:
        self.refused: set[Asker] = set()
        self._feeds: dict[UUID, Feed] = {}
        self._askers: Counter[Asker] = Counter()
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="event-reader")
        self._answered: tuple[object, ...] | None = None

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
        self._thread.submit(self._disconnect)

    async def page(self, execution_id: UUID, after: int) -> list[Event]:
        """The next events of an execution from the database, at most 500."""
        return await self._in_thread(lambda: list(_read({execution_id: after}, limit=PAGE)))

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(POLL)
            known = {pk: feed.last for pk, feed in self._feeds.items() if feed.last is not None}
            try:
                moved, refused = await self._in_thread(
                    partial(self._ask, known, frozenset(self._askers))
                )
            except db.Error:
                logger.exception("Reading events failed; trying again")
                self._thread.submit(self._disconnect)
                continue
            if refused:
                self.refused |= refused
                for watched in self._feeds.values():
                    watched.publish((), closed=watched.closed)
            for pk, (fresh, closed) in moved.items():
                if feed := self._feeds.get(pk):
                    feed.publish((e for e in fresh if e.sequence > (feed.last or 0)), closed=closed)

    def _ask(self, known: dict[UUID, int], askers: frozenset[Asker]) -> tuple[Moved, set[Asker]]:
        """What has moved, and which sessions and tokens are not what they were.

        Nothing, unless something was committed since it was last asked the same; what ends by
        time alone is noticed within a heartbeat.
        """
        question = (_database_version(), known, askers, time.monotonic() // HEARTBEAT)
        if question == self._answered:
            return {}, set()
        moved, refused = _poll(known), _ended(askers)
        self._answered = question
        return moved, refused

    def _disconnect(self) -> None:
        # SQLite counts its versions for each connection on its own.
        self._answered = None
        db.connections.close_all()


def _database_version() -> object:
    """Something that differs whenever another connection has committed a change since."""
    with db.connection.cursor() as cursor:
        if db.connection.vendor == "postgresql":
            cursor.execute("SELECT pg_current_snapshot()::text")
        else:
            cursor.execute("PRAGMA data_version")
        return cursor.fetchone()


def _poll(known: Mapping[UUID, int]) -> Moved:
    """What is new beyond the known sequences, by execution, and whether that is all there is."""
    found: dict[UUID, tuple[int, str]] = {}
    for chunk in _chunks(list(known), PAGE):
        rows = Execution.objects.filter(pk__in=chunk).order_by()
        for pk, last, status in rows.values_list("pk", "last_sequence", "status"):
            found[pk] = last, status
    behind = {pk: known[pk] for pk, (last, _) in found.items() if last > known[pk]}
    fresh: dict[UUID, list[Event]] = {pk: [] for pk in behind}
    for chunk in _chunks(list(behind), _CHUNK):
        for event in _read({pk: behind[pk] for pk in chunk}):
            fresh[event.execution_id].append(event)
    # Nothing more will come of what has ended, or is no longer there.
    over = {
        pk
        for pk in known
        if not fresh.get(pk) and (pk not in found or found[pk][1] in TERMINAL_STATUSES)
    }
    return {pk: (fresh.get(pk, []), pk in over) for pk in fresh.keys() | over}


def _ended(askers: Iterable[Asker]) -> set[Asker]:
    left = set(askers)
    for model in (Session, AccessToken):
        for chunk in _chunks([pk for kind, pk, _ in left if kind is model], PAGE):
            alive = model.objects.alive().filter(pk__in=chunk).order_by()
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


def _release_request_thread() -> None:
    """End the thread in which the request's synchronous part ran.

    Django keeps one until the response is complete: 1,000 idle threads for 1,000 streams. A
    later call from the request makes a new one.
    """
    context = SyncToAsync.thread_sensitive_context.get(None)
    thread = SyncToAsync.context_to_thread_executor.pop(context, None) if context else None
    if thread:
        thread.shutdown(wait=False)
