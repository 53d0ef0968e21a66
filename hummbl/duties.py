"""What one process of all does every minute, or every so many seconds: apps register it.

Workers ask every second whether something is due, and web processes what is long overdue, so that
nothing is forgotten when no worker runs. A duty's time is cut into slots; whoever moves its row on
to the present slot does it, so each slot is done once at most, however many processes ask.

Slow duties take minutes. Only workers do them, in a thread in which the others do not wait.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.db import DatabaseError, connection

from hummbl.models import Duty

logger = logging.getLogger(__name__)

# Slots that web processes leave to the workers.
PATIENCE: Final = 2
# How often web processes look whether a minute has passed.
WATCH_SECONDS: Final = 15.0

Act = Callable[[], object]
Stopped = Callable[[], bool]


@dataclass(slots=True)
class _Registered:
    seconds: int
    act: Callable[[Stopped], object]
    slow: bool = False
    asked: int = 0  # the last slot that this process has asked for
    unanswered: int = 0  # the minute in which the database did not answer

    def is_due(self, slot: int, minute: int) -> bool:
        """Whether this process has not asked for it, or did before the clock was set back.

        Where it got no answer, it asks again in another minute.
        """
        return minute != self.unanswered and not slot <= self.asked <= slot + Duty.AHEAD


_duties: Final[dict[str, _Registered]] = {}


def register(name: str, act: Act, *, seconds: int = 60) -> None:
    """Have `act` called once in so many seconds by one process, in a thread, in no transaction.

    What it raises is logged; the next slot is another try.
    """
    _duties[name] = _Registered(seconds, lambda _: act())


def register_slow(name: str, act: Callable[[Stopped], object], *, seconds: int) -> None:
    """The same for what takes long; `act` is given what says that it must end soon."""
    _duties[name] = _Registered(seconds, act, slow=True)


def is_due(*, slow: bool = False) -> bool:
    """Whether this process has something to ask for; no query."""
    return bool(_due(slow))


def run_due(*, slow: bool = False, late: bool = False, stopped: Stopped = lambda: False) -> None:
    """Do what is due and not done by another process; `late` is what web processes say.

    Call it in a thread of its own: its connection is closed.
    """
    unasked: dict[str, DatabaseError] = {}
    try:
        for name, duty, slot in _due(slow):
            if stopped():
                return
            try:
                is_ours = Duty.claim(name, slot, PATIENCE if late else 0)
            except DatabaseError as error:
                unasked[name], duty.unanswered = error, _minute()
                continue
            duty.asked = slot
            if is_ours:
                _run(name, duty, stopped)
    finally:
        if unasked:
            # In one line: a full disk says the same of each of them, every minute.
            names, errors = ", ".join(unasked), {str(error) for error in unasked.values()}
            logger.warning("Cannot ask whether %s is due: %s", names, "; ".join(errors))
        connection.close()


def watch() -> None:
    """Begin to do what is long overdue, in a thread: what each web process calls once.

    So that somebody is told, too, when no worker runs.
    """
    threading.Thread(target=_watch, name="duties", daemon=True).start()


def _watch() -> None:
    while True:
        time.sleep(WATCH_SECONDS)
        try:
            if is_due():
                run_due(late=True)
        except Exception:
            # Whoever watches must not end unseen.
            logger.exception("Looking for what is due failed; it is tried again")


def _due(slow: bool) -> list[tuple[str, _Registered, int]]:
    now = time.time()
    found = [(name, duty, int(now // duty.seconds)) for name, duty in _duties.items()]
    minute = _minute()
    return [each for each in found if each[1].slow == slow and each[1].is_due(each[2], minute)]


def _minute() -> int:
    return int(time.time() // 60)


def _run(name: str, duty: _Registered, stopped: Stopped) -> None:
    try:
        duty.act(stopped)
    except Exception:
        logger.exception("%s failed; it is tried again in %s s", name, duty.seconds)
