"""Who may call what, beyond being signed in."""

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from hummbl.errors import ReadOnlyRole


class CanWrite(BasePermission):
    """Everyone signed in may read; writing takes a role that owns things."""

    message = ReadOnlyRole.sentence
    code = ReadOnlyRole.code

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the method is safe or the user may write."""
        user: Any = request.user
        return request.method in SAFE_METHODS or bool(getattr(user, "can_write", False))


class IsAdmin(BasePermission):
    """Admins only."""

    message = "Only administrators may do this."
    code = "admin_only"

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the user is an admin."""
        return bool(getattr(request.user, "is_admin", False))
