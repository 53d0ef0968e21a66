"""What the engine asks of a dispatcher, and what a dispatcher may ask of its worker."""

import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Protocol


class Host(Protocol):
    """A worker, as its dispatcher sees it."""

    concurrency: int

    @property
    def room(self) -> int:
        """How many more executions may be claimed now; none once the worker is to stop."""

    def has(self, pk: str) -> bool:
        """Whether the execution is under way here."""

    def claim(self, limit: int, ids: Sequence[str] = ()) -> None:
        """Ask for executions that nobody holds, or for those of `ids` that nobody holds."""

    def on_dispatcher_failed(self, error: BaseException) -> None:
        """End this round of work, as when the database is away."""


class Dispatcher(ABC):
    """Tells one worker which executions want it, until it is closed; then a new one is made.

    All methods belong to the thread of the worker's event loop, but for the static ones.
    """

    def __init__(self, host: Host) -> None:
        self.host = host

    @staticmethod
    @abstractmethod
    def announce(execution: uuid.UUID) -> None:
        """Let a new execution find a worker. Call it inside the transaction that creates it."""

    @staticmethod
    @abstractmethod
    def announce_free() -> None:
        """Let whatever nobody holds find a worker. Call it in a thread that is in no transaction.

        Raises DatabaseError when the database refuses.
        """

    def open(self) -> None:  # noqa: B027 - the embedded dispatcher has no use for the next ones
        """Begin: the worker has a loop, and is about to have a database."""

    @abstractmethod
    def look(self) -> None:
        """Look for work now, because there may be some: a wake-up came."""

    @abstractmethod
    def poll(self) -> None:
        """Look for what no wake-up told; called about every second."""

    def on_claimed(self, count: int) -> None:  # noqa: B027
        """So many of what was asked for have been claimed and started."""

    def on_refused(self, executions: Iterable[str]) -> None:  # noqa: B027
        """These were asked for by name and are not to be had: over, or held by somebody else."""

    def on_gone(self, execution: str) -> None:  # noqa: B027
        """An execution has left this worker: ended, lost or handed back."""

    async def close(self) -> None:  # noqa: B027
        """End, within two seconds. Raises nothing."""
