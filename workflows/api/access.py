"""Who may write. Checked after the object is found, so that another's stays a 404."""

from accounts.models import User
from hummbl.api.permissions import CanWrite
from hummbl.errors import Forbidden


def require_writer(user: User) -> None:
    """Raises Forbidden for a viewer."""
    if not user.can_write:
        raise Forbidden(CanWrite.message, code=CanWrite.code)
