"""Where somebody is signed in, and ending it: for its owner and for administrators."""

import logging
import uuid
from collections.abc import Collection
from typing import Any, Final

from django.db import transaction
from django.db.models import Count

from accounts import audit
from accounts.models import Action, Session, User
from hummbl.errors import NotFound

logger = logging.getLogger(__name__)

# More of them are no longer told apart by looking.
SHOWN: Final = 50


def end(user: User, pk: uuid.UUID, *, by: Any) -> None:
    """Sign one of the user's browsers or programs out. Raises NotFound unless it is the user's."""
    with transaction.atomic():
        if not user.sessions.filter(pk=pk).delete()[0]:
            raise NotFound
        audit.record(Action.SESSION_ENDED, actor=by, obj=user, session=str(pk))
    logger.info("Session ended: %s of user %s", pk, user.pk)


def end_all(user: User, *, by: Any, keep: Session | None = None) -> int:
    """Sign the user out everywhere but in `keep`; how many sessions that ended.

    Access tokens stay: they are no sign-ins, and are deleted one by one.
    """
    with transaction.atomic():
        others = user.sessions.other_than(keep)
        ended = others.alive().count()
        others.delete()
        audit.record(Action.SESSIONS_ENDED, actor=by, obj=user, ended=ended)
    logger.info("%s sessions ended: user %s", ended, user.pk)
    return ended


def lately_used(user: User, *, but: Session | None = None) -> tuple[list[Session], bool]:
    """The living sessions to show, the last used first, and whether there are more."""
    rows = user.sessions.alive().other_than(but).order_by("-last_used_at", "-id")
    found = list(rows[: SHOWN + 1])
    return found[:SHOWN], len(found) > SHOWN


def count_of(users: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How many living sessions each of a page of users has; one query."""
    rows = Session.objects.alive().filter(user__in=users).order_by().values_list("user")
    return dict.fromkeys(users, 0) | dict(rows.annotate(Count("pk")))
