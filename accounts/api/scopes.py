"""What an access token may call: the scope of every operation of the API.

Safe methods need `read`, the others `write`, and what is behind `IsAdmin` needs `admin` besides.
Where that is wrong, the operation says so: `@needs_scope(Scope.RUN)`; and `@session_only` where no
token will do, because it would outlive its own end. `BearerAuthentication` asks here for every
request that comes with an access token, so that a view cannot forget to.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from rest_framework.permissions import SAFE_METHODS

from accounts.errors import InsufficientScope, TokenNotAllowed
from accounts.models import AccessToken, Scope
from hummbl.api.permissions import IsAdmin
from hummbl.api.throttling import count_denied

if TYPE_CHECKING:
    # REST framework's views import this module, by way of authentication.
    from rest_framework.request import Request
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)

Handler = TypeVar("Handler", bound=Callable[..., Any])

SESSION_ONLY: Final = "session"
_MARK: Final = "token_scope"


def needs_scope(scope: Scope) -> Callable[[Handler], Handler]:
    """An operation that wants another scope than its method does."""

    def mark(handler: Handler) -> Handler:
        setattr(handler, _MARK, scope.value)
        return handler

    return mark


def session_only(handler: Handler) -> Handler:
    """An operation for people who are signed in: the credentials of an account, and who is who."""
    setattr(handler, _MARK, SESSION_ONLY)
    return handler


def needed(view: APIView, method: str) -> list[str]:
    """The scopes that a token must have, all of them; or `SESSION_ONLY` alone."""
    actions = getattr(view, "action_map", None) or {}
    handler = getattr(view, actions.get(method.lower(), method.lower()), None)
    scope = getattr(handler, _MARK, None)
    if scope == SESSION_ONLY:
        return [SESSION_ONLY]
    scope = scope or (Scope.READ if method in SAFE_METHODS else Scope.WRITE).value
    behind_admin = any(isinstance(each, IsAdmin) for each in view.get_permissions())
    return [scope, Scope.ADMIN.value] if behind_admin else [scope]


def require_scopes(request: Request, token: AccessToken) -> None:
    """Let the token pass if it has what the operation needs.

    Raises TokenNotAllowed and InsufficientScope. A refusal comes before the throttles, so it is
    counted here; `request.user` is the token's by now.
    """
    view: APIView = request.parser_context["view"]
    missing = [scope for scope in needed(view, request.method or "") if scope not in token.scopes]
    if not missing:
        return
    count_denied(request, view)
    logger.warning(
        "Access token %s of user %s refused: %s %s needs %s",
        *(token.pk, token.user_id, request.method, request.path, " ".join(missing)),
    )
    if SESSION_ONLY in missing:
        raise TokenNotAllowed
    raise InsufficientScope(missing)
