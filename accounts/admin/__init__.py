"""Accounts in the Django admin: users, what they are signed in with, and their tokens."""

from accounts.admin.access_token import AccessTokenAdmin
from accounts.admin.session import SessionAdmin
from accounts.admin.user import UserAdmin

__all__ = ["AccessTokenAdmin", "SessionAdmin", "UserAdmin"]
