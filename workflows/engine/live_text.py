"""The text of an answer while it is written, as `delta` events."""

import asyncio
from collections.abc import Callable

# Seconds between two events of a task: never shorter than the first figure. The pause grows with
# the answer, a fiftieth of its age, so that one that takes minutes does not fill the history.
SHORTEST_PAUSE = 0.2
LONGEST_PAUSE = 1.0
GROWTH = 1 / 50


class LiveText:
    """Gathers what one attempt writes and hands it to `record` in few pieces.

    The first piece goes out at once. The pieces, joined, are what was added; `finish` hands over
    the rest, `close` forgets it.
    """

    __slots__ = ("_began", "_loop", "_parts", "_record", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, record: Callable[[str], None]) -> None:
        self._loop, self._record = loop, record
        self._parts: list[str] = []
        self._timer: asyncio.TimerHandle | None = None
        self._began = 0.0

    def add(self, text: str) -> None:
        """Take the next piece of the answer."""
        self._parts.append(text)
        if self._timer is None:
            self._began = self._began or self._loop.time()
            self._hand_over()

    def finish(self) -> None:
        """Hand over what is left: the answer is complete."""
        self.close()
        self._flush()

    def close(self) -> None:
        """Hand nothing over any more on our own."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _hand_over(self) -> None:
        self._timer = None
        if self._flush():
            pause = (self._loop.time() - self._began) * GROWTH
            pause = min(max(pause, SHORTEST_PAUSE), LONGEST_PAUSE)
            self._timer = self._loop.call_later(pause, self._hand_over)

    def _flush(self) -> bool:
        text = "".join(self._parts)
        self._parts.clear()
        if text:
            self._record(text)
        return bool(text)
