"""The JSON forms of the accounts API."""

from typing import Any

from rest_framework import serializers

from accounts.flows import PASSWORD_MAX_LENGTH
from accounts.models import Role, Session, SessionKind, User
from hummbl.api.serializers import Email, StrictSerializer, Text


class Password(Text):
    """A password as it was typed, never sent back."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs |= {"write_only": True, "trim_whitespace": False, "max_length": PASSWORD_MAX_LENGTH}
        super().__init__(style={"input_type": "password"}, **kwargs)


class LinkToken(Text):
    """The token of a link. Any text will do: what is no token is an invalid link like another."""

    def __init__(self) -> None:
        super().__init__(allow_blank=True, trim_whitespace=False)


class UserSerializer(StrictSerializer):
    """Who someone is. The name and the address can be changed here."""

    id = serializers.UUIDField(read_only=True)
    email = Email(max_length=User.EMAIL_LENGTH)
    email_verified = serializers.BooleanField(read_only=True)
    name = Text(max_length=150, allow_blank=True)
    role = serializers.ChoiceField(choices=Role.choices, read_only=True)
    is_active = serializers.BooleanField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    last_login_at = serializers.DateTimeField(source="last_login", read_only=True, allow_null=True)


class RegisterSerializer(StrictSerializer):
    """A new account."""

    email = Email(max_length=User.EMAIL_LENGTH)
    password = Password()
    name = Text(max_length=150, allow_blank=True, default="")


class LoginSerializer(StrictSerializer):
    """Proof of an account. Any text will do for an address: what is unknown is simply wrong."""

    email = Text(max_length=User.EMAIL_LENGTH)
    password = Password()


class ResetSerializer(StrictSerializer):
    """Whose password is to be set anew. Any text will do for an address, as for signing in."""

    email = Text(max_length=User.EMAIL_LENGTH)


class ResetConfirmSerializer(StrictSerializer):
    """The link's token, and the password from now on."""

    token = LinkToken()
    new_password = Password()


class VerifySerializer(StrictSerializer):
    """The link's token."""

    token = LinkToken()


class MessageSerializer(serializers.Serializer[dict[str, Any]]):
    """A sentence for the person."""

    message = serializers.CharField()


class PasswordAgainSerializer(StrictSerializer):
    """The password of who is signed in."""

    password = Password()


class PasswordSerializer(StrictSerializer):
    """A change of the password."""

    current_password = Password()
    new_password = Password()


class TokenSerializer(serializers.Serializer[dict[str, Any]]):
    """A bearer token, shown this once."""

    token = serializers.CharField()
    user = UserSerializer()
    expires_at = serializers.DateTimeField()


class RegisteredSerializer(serializers.Serializer[dict[str, Any]]):
    """A new user, signed in; without a token where the address must be verified first."""

    token = serializers.CharField(allow_null=True)
    user = UserSerializer()
    expires_at = serializers.DateTimeField(allow_null=True)


class SessionSerializer(serializers.Serializer[Session]):
    """A browser or a program that is signed in as the user."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=SessionKind.choices)
    ip = serializers.IPAddressField(allow_null=True)
    user_agent = serializers.CharField()
    device = serializers.CharField(help_text="The user agent in words.")
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField()
    is_current = serializers.SerializerMethodField()

    def get_is_current(self, session: Session) -> bool:
        """Whether it is the session that this request came with."""
        return session.pk == self.context.get("current")
