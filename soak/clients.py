"""Clients that ask for executions and cancel some, and remember what they were told."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import Error as DatabaseError
from django.db import connection

from accounts.models import User
from hummbl.errors import Conflict
from soak.plan import Start
from soak.verdict import Receipt
from workflows.models import Execution, Workflow

logger = logging.getLogger(__name__)

AT_ONCE = 6
PATIENCE_SECONDS = 90
PAUSE_SECONDS = 0.1


class Clients:
    """They keep to the plan as far as the database lets them."""

    def __init__(self, user: User, workflows: dict[str, Workflow], begun: float) -> None:
        self._user, self._workflows, self._begun = user, workflows, begun
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="client")

    def perform(self, starts: list[Start]) -> list[Receipt]:
        """Ask for everything; returns when every client has what it was after."""
        with self._pool:
            return list(self._pool.map(self._ask, starts))

    def _ask(self, start: Start) -> Receipt:
        time.sleep(max(0.0, self._begun + start.at - time.monotonic()))
        try:
            # Who has no key cannot know whether a call that failed has made one.
            made = self._insist(lambda: self._start(start), once=not start.key)
            if made is None or start.cancel_after is None:
                return Receipt(start.label, made)
            time.sleep(start.cancel_after)
            return Receipt(start.label, made, self._insist(lambda: self._cancel(made)))
        finally:
            connection.close()

    def _start(self, start: Start) -> Any:
        return (
            self._workflows[start.shape]
            .execute(
                user=self._user,
                input={"run": start.label},
                trigger="api",
                cost_cap=start.cap,
                idempotency_key=start.key,
            )
            .pk
        )

    def _cancel(self, pk: Any) -> bool:
        """Whether there was something to cancel."""
        try:
            Execution.objects.get(pk=pk).cancel(by=self._user)
        except Conflict:
            return False
        return True

    def _insist(self, call: Callable[[], Any], *, once: bool = False) -> Any:
        """Call again until the database has answered; None if it must be only once, and failed."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return call()
            except DatabaseError as error:
                logger.info("The database did not answer a client: %s", error)
                connection.close()
                if once:
                    return None
                if time.monotonic() > deadline:
                    raise
            time.sleep(PAUSE_SECONDS)
