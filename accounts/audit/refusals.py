"""Refused authorisations in the log and in the audit log, so many a minute and no more."""

import logging
from typing import TYPE_CHECKING, Final

from django.http import HttpRequest

from accounts import audit
from accounts.models import Action, User
from hummbl import counters
from hummbl.logging import escape

if TYPE_CHECKING:
    from rest_framework.request import Request

logger = logging.getLogger(__name__)

# Of one user. The access log has every request; this log must not be one that a user can fill.
A_MINUTE: Final = 10
MAX_PATH: Final = 200


def note(request: "HttpRequest | Request", code: str) -> None:
    """Note that somebody who is signed in was refused; a stranger is asked to sign in instead.

    Source: OWASP ASVS 5.0, 16.3.2. The path is without its query, which may hold secrets.
    """
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return
    count, _ = counters.hit(f"refused:{user.pk}", 60)
    if count > A_MINUTE:
        return
    method, path = str(request.method), escape(request.path[:MAX_PATH])
    logger.warning("Refused: %s %s for user %s (%s)", method, path, user.pk, code)
    label = f"{method} {path}"
    audit.record(Action.REFUSED, actor=user, label=label, method=method, path=path, code=code)
