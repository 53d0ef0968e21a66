"""What belongs to a user in the apps above this one, which imports none of them.

They register from their `AppConfig.ready()`, as health checks do.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accounts.models import User


@dataclass(frozen=True, slots=True)
class Holding:
    """One kind of thing: how many of it a user has, and where an administrator sees them."""

    label: str
    count: Callable[[User], int]
    url: Callable[[User], str]


_holdings: dict[str, Holding] = {}
_before_deletion: dict[str, Callable[[User, Any], None]] = {}


def register(name: str, holding: Holding) -> None:
    """Show this on the page of a user; the last one registered under a name counts."""
    _holdings[name] = holding


def register_deletion(name: str, prepare: Callable[[User, Any], None]) -> None:
    """Call this with the user and who deletes, in the transaction; an AppError keeps the user."""
    _before_deletion[name] = prepare


def of(user: User) -> list[tuple[str, int, str]]:
    """Label, count and address of each kind; one query each."""
    return [(each.label, each.count(user), each.url(user)) for each in _holdings.values()]


def before_deletion(user: User, *, by: Any) -> None:
    """Let the apps above delete what wants more than the database's own rules."""
    for prepare in _before_deletion.values():
        prepare(user, by)
