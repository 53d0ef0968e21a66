"""Which errors a list shows, and in which order: for pages and API alike."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hummbl.paging import Order
from observability.models.error import ErrorGroup, ErrorGroupQuerySet

LATEST: Final = "last_seen"
ORDERS: Final = {
    LATEST: Order("last_seen"),
    "first_seen": Order("first_seen"),
    "count": Order("by_count", is_text=True),
    "users": Order("by_users", is_text=True),
}


@dataclass(frozen=True, slots=True)
class ErrorFilter:
    """Which groups are wanted. What is empty leaves nothing out."""

    status: str = ""
    severity: str = ""
    source: str = ""
    search: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def groups(self) -> ErrorGroupQuerySet:
        """The groups, ready for any of ORDERS."""
        given = {"status": self.status, "severity": self.severity, "source": self.source}
        found = ErrorGroup.objects.filter(**{name: value for name, value in given.items() if value})
        if self.search:
            found = found.mentioning(self.search)
        if self.since and self.until:
            found = found.during(self.since, self.until)
        return found.with_sortable_counts()
