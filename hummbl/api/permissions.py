"""Who may call what, beyond being signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rest_framework.permissions import BasePermission, IsAuthenticated

if TYPE_CHECKING:
    # REST framework's views import this module, by way of authentication.
    from rest_framework.request import Request
    from rest_framework.views import APIView


class IsAdmin(BasePermission):
    """Admins only."""

    message = "Only administrators may do this."
    code = "admin_only"

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the user is an admin."""
        return bool(getattr(request.user, "is_admin", False))


# A stranger is asked to sign in, another role is refused.
ADMIN_ONLY: Final = [IsAuthenticated, IsAdmin]
