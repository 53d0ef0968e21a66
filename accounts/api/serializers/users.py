"""The JSON form of a user as administrators see and change one."""

from typing import Any

from rest_framework import serializers

from accounts.models import Role, User
from hummbl.api.serializers import StrictSerializer


class Flag(serializers.BooleanField):
    """True or false; REST framework's own field also takes "yes", 1 and more."""

    def to_internal_value(self, data: Any) -> bool:
        """The flag."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class ManagedUserSerializer(StrictSerializer):
    """A user with what signs them in. Role and activity can be changed, and nothing else."""

    id = serializers.UUIDField(read_only=True)
    email = serializers.EmailField(read_only=True)
    name = serializers.CharField(read_only=True)
    role = serializers.ChoiceField(choices=Role.choices)
    is_active = Flag()
    email_verified = serializers.BooleanField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    last_login_at = serializers.DateTimeField(source="last_login", read_only=True, allow_null=True)
    sessions = serializers.SerializerMethodField(help_text="Browsers and programs signed in.")

    def get_sessions(self, user: User) -> int:
        """How many have not expired, of those in the context."""
        return int(self.context["sessions"][user.pk])
