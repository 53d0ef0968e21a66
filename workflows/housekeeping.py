"""What the workflows app keeps for a time only: executions, their events, single calls, workers.

Of an execution that has ended, first the live text goes (after a day: it is the tasks' output),
then the rest of its history, at last the execution itself with its tasks. `Execution.history` says
how far that is, so that each is found by an index and looked at once.
"""

import itertools
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Count, QuerySet
from django.utils import timezone

from hummbl import retention
from hummbl.retention import Deleted
from workflows import ledger_sums
from workflows.models import Execution, ExecutionEvent, History, TaskResult, Worker

LIVE_TEXT_DAYS: Final = 1
_OF: Final = "of executions that ended"

Bound = datetime | None
Ids = Sequence[uuid.UUID]


@dataclass(frozen=True, slots=True)
class Expiry:
    """What goes of executions that ended within `span`, a moment and an earlier one or None.

    `parts` are the rows that go, given the executions: first events, then tasks. `finish` notes
    that they are gone, or deletes the executions, which are `own` rows more each. `weight` guesses
    the rows of one from its `task_count` and `last_sequence`; `prepare` lets go of what refers to
    it.
    """

    histories: tuple[History, ...]
    span: Callable[[], tuple[Bound, Bound]]
    parts: tuple[Callable[[Any], "QuerySet[Any]"], ...]
    weight: Callable[[int, int], int]
    finish: Callable[[Ids], object]
    prepare: Callable[[Ids], object] = lambda ids: None
    own: int = 0

    def due(self, *histories: History) -> "QuerySet[Execution]":
        """The executions, one kind of history after the other."""
        before, after = self.span()
        if before is None:
            return Execution.objects.none()
        found = Execution.objects.filter(history__in=histories, completed_at__lt=before)
        return found if after is None else found.filter(completed_at__gte=after)

    def count(self) -> int:
        """How many rows would go."""
        due = self.due(*self.histories)
        rows = sum(part(due.order_by().values("pk")).count() for part in self.parts)
        return rows + self.own * due.count()

    def delete_batch(self, limit: int) -> Deleted:
        """Delete whole executions' worth of rows; of one with more than `limit`, events at first.

        Whoever stops in between leaves no execution without its tasks: of those a workflow has no
        more than `limit`, and they go with it.
        """
        for history in self.histories:
            candidates = self._candidates(history, limit)
            if candidates:
                return self._delete(candidates, limit)
        return Deleted(0, more=False)

    def _candidates(self, history: History, limit: int) -> Ids:
        """Executions that may go together, the first to end first; at least one if there is any."""
        due = self.due(history).order_by("completed_at")
        rows = list(due.values_list("pk", "task_count", "last_sequence")[:limit])
        weights = itertools.accumulate(self.weight(tasks, events) for _, tasks, events in rows)
        fitting = sum(total <= limit for total in weights)
        return [pk for pk, *_ in rows[: max(1, fitting)]]

    def _delete(self, candidates: Ids, limit: int) -> Deleted:
        # Asked again: another process may have been here since they were found.
        ids = _held(self.due(*self.histories), candidates)
        rows = Counter(dict.fromkeys(ids, self.own))
        for part in self.parts:
            rows.update(dict(part(ids).order_by().values_list("execution").annotate(Count("pk"))))
        totals = list(itertools.accumulate(rows[pk] for pk in ids))
        whole = ids[: sum(total <= limit for total in totals)]
        if ids and not whole:
            if some := self._delete_events(ids[:1], limit):
                return Deleted(some, more=True)
            whole = ids[:1]
        self.prepare(whole)
        for part in self.parts:
            _delete(part(whole))
        self.finish(whole)
        return Deleted(sum(rows[pk] for pk in whole), more=bool(whole))

    def _delete_events(self, one: Ids, limit: int) -> int:
        """Delete `limit` events of an execution that has more rows, from the first on."""
        events = self.parts[0]
        keys = list(events(one).values_list("pk", flat=True)[:limit])
        _delete(events(one).filter(pk__in=keys))
        return len(keys)


def register() -> None:
    """Tell `hummbl.retention`; an execution goes before its parts are looked for."""
    _register_expiry(
        "executions",
        lambda: retention.in_words("ended longer ago than", "RETENTION_EXECUTIONS"),
        _EXECUTIONS,
    )
    _register_expiry(
        "histories",
        lambda: retention.in_words(f"{_OF} longer ago than", "RETENTION_EVENTS"),
        _HISTORIES,
    )
    _register_expiry(
        "live text",
        lambda: f"{_OF} longer ago than {LIVE_TEXT_DAYS} day",
        _LIVE_TEXT,
    )
    retention.register(
        retention.Rule(
            "calls",
            lambda: retention.in_words("become sums by day, older than", "RETENTION_SPEND"),
            lambda: ledger_sums.due().count(),
            ledger_sums.sum_up,
        )
    )
    retention.register_rows("workers", lambda: "silent for a day", Worker.objects.long_silent)


def _register_expiry(name: str, describe: Callable[[], str], expiry: Expiry) -> None:
    retention.register(retention.Rule(name, describe, expiry.count, expiry.delete_batch))


def _held(due: "QuerySet[Execution]", candidates: Ids) -> Ids:
    """Those that are due and that nobody else deletes now, in their order, for this transaction.

    Their workflows are held too: deleting one locks it before anything else.
    """
    rows = due.filter(pk__in=candidates)
    held = rows.select_for_update(no_key=True, skip_locked=True, of=("self", "workflow"))
    keys = held.select_related("workflow").only("id", "workflow__id").order_by()
    found = {row.pk for row in keys}
    return [pk for pk in candidates if pk in found]


def _delete(rows: "QuerySet[Any]") -> None:
    """One statement: what Django itself runs once it has seen that nothing refers to the rows."""
    rows.order_by()._raw_delete(DEFAULT_DB_ALIAS)  # noqa: SLF001 - see above


def _detach(ids: Ids) -> None:
    """Let go of re-runs and of tasks that were reused from these: they stay."""
    Execution.objects.filter(parent__in=ids).update(parent=None)
    reused = TaskResult.objects.filter(reused_from__isnull=False, reused_from__execution__in=ids)
    reused.update(reused_from=None)


def _leave(history: History) -> Callable[[Ids], object]:
    """Note that no more of it is left."""
    return lambda ids: Execution.objects.filter(pk__in=ids).update(history=history)


def _events(ids: Any) -> "QuerySet[ExecutionEvent]":
    return ExecutionEvent.objects.filter(execution__in=ids)


def _span_of_live_text() -> tuple[Bound, Bound]:
    begins = timezone.now() - timedelta(days=LIVE_TEXT_DAYS)
    kept = [retention.ago("RETENTION_EXECUTIONS"), retention.ago("RETENTION_EVENTS")]
    return begins, max((moment for moment in kept if moment), default=None)


_EXECUTIONS = Expiry(
    histories=(History.NONE, History.SHORT, History.WHOLE),
    span=lambda: (retention.ago("RETENTION_EXECUTIONS"), None),
    parts=(_events, lambda ids: TaskResult.objects.filter(execution__in=ids)),
    weight=lambda tasks, events: 1 + tasks,
    prepare=_detach,
    finish=lambda ids: _delete(Execution.objects.filter(pk__in=ids)),
    own=1,
)
_HISTORIES = Expiry(
    histories=(History.SHORT, History.WHOLE),
    span=lambda: (retention.ago("RETENTION_EVENTS"), retention.ago("RETENTION_EXECUTIONS")),
    parts=(_events,),
    weight=lambda tasks, events: events,
    finish=_leave(History.NONE),
)
_LIVE_TEXT = Expiry(
    histories=(History.WHOLE,),
    span=_span_of_live_text,
    parts=(lambda ids: _events(ids).filter(type="delta"),),
    # A task tells of its start and of its end, an execution too: the rest is live text.
    weight=lambda tasks, events: max(0, events - 2 * tasks - 2),
    finish=_leave(History.SHORT),
)
