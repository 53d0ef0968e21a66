"""The embedded dispatcher: the table of executions is the queue."""

import uuid

from workflows.engine import wake
from workflows.engine.dispatchers.base import Dispatcher, Host

CLAIM_AT_ONCE = 50


class DatabaseDispatcher(Dispatcher):
    """Claims the oldest executions that nobody holds, at every wake-up and every poll."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._asked_for = 0  # while the writer has not answered
        self._look_again = self._more = False

    @staticmethod
    def announce(execution: uuid.UUID) -> None:
        """Wake the workers after the commit: any of them may claim it."""
        wake.notify_after_commit(wake.NEW)

    @staticmethod
    def announce_free() -> None:
        """Wake the workers now."""
        wake.notify_now(wake.NEW)

    def look(self) -> None:
        """Claim, unless we are full, or have asked already: then once more."""
        if self._asked_for:
            self._look_again = True
            return
        self._look_again = False
        self._asked_for = min(CLAIM_AT_ONCE, self.host.room)
        if self._asked_for:
            self.host.claim(self._asked_for)

    def poll(self) -> None:
        """Find what a dead worker left, and what a lost wake-up missed."""
        self.look()

    def on_claimed(self, count: int) -> None:
        """Claim again if there may be more."""
        self._more = count == self._asked_for
        self._asked_for = 0
        if self._more or self._look_again:
            self.look()

    def on_gone(self, execution: str) -> None:
        """Take the next one of a backlog."""
        if self._more:
            self.look()
