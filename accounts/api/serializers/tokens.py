"""The JSON forms of access tokens."""

from rest_framework import serializers

from accounts.models import AccessToken, Scope
from accounts.tokens import DEFAULT_DAYS, MAX_DAYS
from hummbl.api.serializers import StrictSerializer, Text


class AccessTokenBody(StrictSerializer):
    """A token to be made."""

    name = Text(max_length=AccessToken.NAME_LENGTH, help_text="One of a kind among your tokens.")
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=Scope.choices),
        allow_empty=False,
        max_length=len(Scope),
        help_text="What it may do. None includes another.",
    )
    expires_at = serializers.DateTimeField(
        required=False,
        allow_null=True,
        default=None,
        help_text=f"At most {MAX_DAYS} days from now; in {DEFAULT_DAYS} days when left out.",
    )


class AccessTokenSerializer(serializers.Serializer[AccessToken]):
    """A token, without its secret."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=Scope.choices))
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(
        allow_null=True, help_text="To the minute; null when it was never used."
    )
    expires_at = serializers.DateTimeField()


class NewAccessTokenSerializer(AccessTokenSerializer):
    """A token with its secret, which is shown this once."""

    token = serializers.CharField()
