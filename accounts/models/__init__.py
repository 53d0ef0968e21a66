"""Users, what they are signed in with, and the log of what they did."""

from accounts.models.access_token import PREFIX, AccessToken, Scope
from accounts.models.audit import Action, AuditEntry
from accounts.models.session import TOKEN_ALGORITHM, Session, SessionKind
from accounts.models.user import Role, User, UserManager, name_to_show

__all__ = [
    "PREFIX",
    "TOKEN_ALGORITHM",
    "AccessToken",
    "Action",
    "AuditEntry",
    "Role",
    "Scope",
    "Session",
    "SessionKind",
    "User",
    "UserManager",
    "name_to_show",
]
