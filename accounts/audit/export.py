"""The audit log as a file, for the page and the API."""

from collections.abc import Iterator
from typing import Any, Final

import orjson
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from accounts import audit
from accounts.audit.log import BY_TIME, AuditFilter
from accounts.models import Action, AuditEntry, User
from hummbl import csv_file
from hummbl.paging import read_slice

BATCH: Final = 500
COLUMNS: Final = (
    *("id", "at", "actor_id", "actor", "action", "action_label"),
    *("object_type", "object_id", "object", "ip", "data"),
)


def export(request: HttpRequest, wanted: AuditFilter, *, by: User) -> StreamingHttpResponse:
    """The entries as CSV, newest first, read while they are sent; itself noted in the log."""
    audit.record(Action.AUDIT_EXPORTED, actor=by, filters=wanted.as_data())
    pieces = csv_file.encode(_batches(wanted.entries()), COLUMNS)
    return csv_file.response(request, pieces, f"audit-log-{timezone.now():%Y-%m-%d}.csv")


def _batches(entries: QuerySet[AuditEntry]) -> Iterator[list[tuple[Any, ...]]]:
    page = read_slice(entries, None, BATCH, BY_TIME)
    while page.rows:
        yield [_row(entry) for entry in page.rows]
        if page.next is None:
            return
        page = read_slice(entries, page.next, BATCH, BY_TIME)


def _row(entry: AuditEntry) -> tuple[Any, ...]:
    return (
        *(entry.pk, entry.at.isoformat(), entry.actor_id, entry.actor_label),
        *(entry.action, entry.text),
        *(entry.object_type, entry.object_id, entry.object_label, entry.ip),
        orjson.dumps(entry.data, option=orjson.OPT_SORT_KEYS).decode() if entry.data else "",
    )
