"""Errors of this process until they are written: exact counts, and few whole reports."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from observability.errors import fingerprint
from observability.errors.fingerprint import Fingerprint
from observability.errors.frames import Raised
from observability.models.error import MOST_USERS, ErrorSource
from observability.models.severity import Severity

# Whole reports of a group in a minute; what comes after is counted.
REPORTS_A_MINUTE: Final = 10
# Of one source, that wait to be written.
MOST_GROUPS: Final = 1000
HOUR: Final = 3600
FOLDED: Final = "Errors of too many kinds"

_WORST_FIRST: Final = {severity: number for number, severity in enumerate(Severity.values)}


@dataclass(slots=True)
class Report:
    """An occurrence as it was captured, secrets and all."""

    at: datetime
    chain: list[Raised]
    context: dict[str, Any]
    request_id: str = ""
    user_id: str | None = None
    execution_id: str | None = None


@dataclass(slots=True)
class Gathered:
    """The occurrences of a group that are not written yet; `hours` are Unix time by 3600."""

    fingerprint: Fingerprint
    source: str
    severity: str
    forward: bool
    first: float
    last: float
    type: str
    message: str
    culprit: str
    hours: Counter[int] = field(default_factory=Counter)
    users: set[str] = field(default_factory=set)
    reports: list[Report] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many there are."""
        return self.hours.total()

    def note(self, at: float, severity: str, user_id: str | None) -> None:
        """Count one."""
        self.hours[int(at // HOUR)] += 1
        self.last = at
        self.severity = worst(self.severity, severity)
        if user_id and len(self.users) < MOST_USERS:
            self.users.add(user_id)

    def fold(self) -> None:
        """Make it part of the group for those of which there are too many."""
        self.fingerprint = fingerprint.folded(self.source)
        self.type, self.message, self.culprit = FOLDED, "", ""

    def add(self, later: Gathered) -> None:
        """Take over those that were noted meanwhile."""
        self.hours.update(later.hours)
        self.last = max(self.last, later.last)
        self.severity = worst(self.severity, later.severity)
        self.users |= later.users
        self.reports = (self.reports + later.reports)[:REPORTS_A_MINUTE]


class Pending:
    """What one process has captured. Signal handlers may interrupt it, so the lock lets them in."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything: what a fork does, whose parent writes its own."""
        self._lock = threading.RLock()
        self._groups: dict[str, Gathered] = {}
        self._known: set[str] = set()
        self._minute = 0
        self._sampled: Counter[str] = Counter()

    def note(
        self,
        kind: Fingerprint,
        severity: str,
        user_id: str | None,
        *,
        begin: Callable[[Fingerprint, float], Gathered],
        report: Callable[[datetime], Report],
    ) -> bool:
        """Count an occurrence; whether this process meets the group for the first time.

        `begin` is called for the first occurrence since the last writing, `report` while few
        enough reports are kept.
        """
        at = time.time()
        with self._lock:
            group = self._groups.get(kind.digest) or self._begin(kind, at, begin)
            group.note(at, severity, user_id)
            digest = group.fingerprint.digest
            if self._wants_report(digest, at) and len(group.reports) < REPORTS_A_MINUTE:
                group.reports.append(report(datetime.fromtimestamp(at, UTC)))
            is_new = digest not in self._known and len(self._known) < MOST_GROUPS
            # Nothing of visitors' is urgent, or they could keep us writing.
            is_new &= group.source != ErrorSource.VISITOR
            if is_new:
                self._known.add(digest)
        return is_new

    def take(self) -> list[Gathered]:
        """What was noted since."""
        with self._lock:
            taken, self._groups = list(self._groups.values()), {}
        return taken

    def put_back(self, groups: list[Gathered]) -> None:
        """Keep what could not be written."""
        with self._lock:
            for group in groups:
                if later := self._groups.get(group.fingerprint.digest):
                    group.add(later)
                self._groups[group.fingerprint.digest] = group

    def _begin(
        self, kind: Fingerprint, at: float, begin: Callable[[Fingerprint, float], Gathered]
    ) -> Gathered:
        group = begin(kind, at)
        waiting = sum(each.source == group.source for each in self._groups.values())
        if waiting >= MOST_GROUPS:
            group.fold()
        return self._groups.setdefault(group.fingerprint.digest, group)

    def _wants_report(self, digest: str, at: float) -> bool:
        minute = int(at // 60)
        if minute != self._minute:
            self._minute, self._sampled = minute, Counter()
        self._sampled[digest] += 1
        return self._sampled[digest] <= REPORTS_A_MINUTE


def worst(one: str, other: str) -> str:
    """The worse of two severities."""
    return one if _WORST_FIRST[one] <= _WORST_FIRST[other] else other


pending = Pending()
os.register_at_fork(after_in_child=pending.reset)
