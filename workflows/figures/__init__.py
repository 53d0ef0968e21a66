"""How runs went and what they cost: the numbers of the dashboard and of the admin pages."""

from datetime import UTC, date, datetime, time


def midnight(day: date) -> datetime:
    """When a day of UTC begins."""
    return datetime.combine(day, time.min, UTC)


def success_rate(completed: int, failed: int) -> float | None:
    """The share of the completed, 0 to 1; None when neither has happened."""
    return completed / (completed + failed) if completed + failed else None
