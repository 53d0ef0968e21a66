"""What a process has captured into the tables, with each flush of the metrics."""

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, cast

from django.conf import settings
from django.db import InterfaceError, OperationalError, ProgrammingError, transaction
from django.utils import timezone

from hummbl import sentry
from observability.errors import fingerprint
from observability.errors.cleaning import clean, clean_text
from observability.errors.frames import Raised, as_data
from observability.errors.pending import HOUR, Gathered, Report, pending
from observability.models.error import (
    MOST_REPORTS,
    MOST_REPORTS_OF_VISITORS,
    MOST_USERS,
    TITLE_LENGTH,
    ErrorGroup,
    ErrorHour,
    ErrorReport,
    ErrorSource,
    ErrorUser,
)

if TYPE_CHECKING:
    from sentry_sdk.types import Event

logger = logging.getLogger(__name__)

# New groups of a source in a day; more are one group.
MOST_NEW_GROUPS: Final = 1000
MOST_NEW_GROUPS_OF_VISITORS: Final = 100
# A database that is away, or without its tables yet.
_PASSING: Final = (OperationalError, InterfaceError, ProgrammingError)


def write() -> None:
    """Write what has gathered, each group in a transaction of its own.

    Raises DatabaseError when the database is away; what is not written is kept.
    """
    waiting = pending.take()
    while waiting:
        try:
            _write(waiting[-1])
        except _PASSING:
            pending.put_back(waiting)
            raise
        except Exception as error:  # noqa: BLE001 - one that cannot be stored must not stop all
            # Tried again it would be refused again.
            logger.warning("An error could not be stored: %s", error)
        waiting.pop()


def _write(gathered: Gathered) -> None:
    reports = [_stored(report) for report in gathered.reports]
    with transaction.atomic():
        group = _locked_group(gathered)
        came_back = group.happened(
            count=gathered.count,
            severity=gathered.severity,
            release=settings.RELEASE,
            first=_moment(gathered.first),
            last=_moment(gathered.last),
        )
        for hour, count in gathered.hours.items():
            ErrorHour.add(group, _moment(hour * HOUR), count)
        _add_users(group, gathered.users)
        _add_reports(group, reports)
    if came_back:
        logger.warning("An error that was resolved has come back: %s", group.title)
    if gathered.forward:
        for report in reports:
            sentry.forward(cast("Event", _event(group, report)))


def _locked_group(gathered: Gathered) -> ErrorGroup:
    """The group's row, made if it is the first time, and held until the transaction ends."""
    groups = ErrorGroup.objects.select_for_update()
    if group := groups.filter(fingerprint=gathered.fingerprint.digest).first():
        return group
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    new = ErrorGroup.objects.filter(source=gathered.source, first_seen__gte=today)
    is_visitors = gathered.source == ErrorSource.VISITOR
    if new.count() >= (MOST_NEW_GROUPS_OF_VISITORS if is_visitors else MOST_NEW_GROUPS):
        gathered.fold()
    first = _moment(gathered.first)
    title = f"{gathered.type}: {gathered.message}" if gathered.message else gathered.type
    group = ErrorGroup(
        fingerprint=gathered.fingerprint.digest,
        version=fingerprint.VERSION,
        parts=clean(gathered.fingerprint.why),
        title=" ".join(clean_text(title).split())[:TITLE_LENGTH],
        culprit=clean_text(gathered.culprit, 200),
        source=gathered.source,
        severity=gathered.severity,
        first_seen=first,
        last_seen=first,
        first_release=settings.RELEASE,
    )
    ErrorGroup.objects.bulk_create([group], ignore_conflicts=True)
    return groups.get(fingerprint=gathered.fingerprint.digest)


def _add_users(group: ErrorGroup, users: set[str]) -> None:
    room = MOST_USERS - group.users_count
    if not users or room <= 0:
        return
    rows = [ErrorUser(group=group, user_id=user) for user in sorted(users)[:room]]
    ErrorUser.objects.bulk_create(rows, ignore_conflicts=True)
    group.users_count = group.users.count()
    group.save(update_fields=["users_count"])


def _add_reports(group: ErrorGroup, reports: list[ErrorReport]) -> None:
    """Add the reports, and let the oldest go."""
    if not reports:
        return
    for report in reports:
        report.group = group
    ErrorReport.objects.bulk_create(reports)
    is_visitors = group.source == ErrorSource.VISITOR
    most = MOST_REPORTS_OF_VISITORS if is_visitors else MOST_REPORTS
    stale = list(group.reports.values_list("pk", flat=True)[most:])
    ErrorReport.objects.filter(pk__in=stale).delete()


def _stored(report: Report) -> ErrorReport:
    return ErrorReport(
        at=report.at,
        message=clean_text(report.chain[0].message),
        stack=[_exception(raised) for raised in report.chain],
        context=clean(report.context),
        release=settings.RELEASE,
        request_id=clean_text(report.request_id, 64),
        user_id=report.user_id,
        execution_id=report.execution_id,
    )


def _exception(raised: Raised) -> dict[str, Any]:
    last = len(raised.frames) - 1
    frames = [as_data(frame, innermost=at == last) for at, frame in enumerate(raised.frames)]
    return {
        "type": clean_text(raised.type, 200),
        "message": clean_text(raised.message),
        "frames": clean(frames),
    }


def _event(group: ErrorGroup, report: ErrorReport) -> dict[str, Any]:
    """The report as Sentry reads it: causes first, frames from the outermost on."""
    exceptions = [
        {
            "type": raised["type"],
            "value": raised["message"],
            "stacktrace": {
                "frames": [
                    {
                        "module": frame["module"],
                        "function": frame["function"],
                        "filename": frame["file"],
                        "lineno": frame["line"],
                        "in_app": frame["in_app"],
                    }
                    for frame in raised["frames"]
                ]
            },
        }
        for raised in reversed(report.stack)
    ]
    return {
        "timestamp": report.at,
        "level": _LEVELS[group.severity],
        "platform": "javascript" if group.source in _BROWSERS else "python",
        "fingerprint": [group.fingerprint],
        "tags": {"source": group.source},
        "extra": report.context,
        "exception": {"values": [each for each in exceptions if each["type"]]},
    }


_BROWSERS: Final = (ErrorSource.BROWSER, ErrorSource.VISITOR)
_LEVELS: Final = {"critical": "fatal", "high": "error", "medium": "warning", "low": "info"}


def _moment(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)
