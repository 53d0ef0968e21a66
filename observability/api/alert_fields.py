"""The JSON forms of rules, alerts, silences and channels."""

from typing import Any, Final

from rest_framework import serializers

from accounts.api.serializers.users import Flag
from hummbl.api.serializers import StrictSerializer, Text
from observability.models import (
    Aggregate,
    AlertRule,
    AlertState,
    ChannelKind,
    Comparison,
    DeliveryEvent,
    DeliveryState,
    NotificationChannel,
    Severity,
)
from observability.models.alert_channel import LONGEST_URL, MOST_ADDRESSES
from observability.models.alert_rule import (
    LONGEST_REPEAT,
    LONGEST_WINDOW,
    MOST_TAG_LENGTH,
    SHORTEST_REPEAT,
    SHORTEST_WINDOW,
)

MOST_SAMPLES: Final = 1_000_000
LARGEST: Final = 1e15


class Number(serializers.FloatField):
    """A number; REST framework's own field also takes texts for one."""

    def to_internal_value(self, data: Any) -> float:
        """The number."""
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        if abs(data) > LARGEST:
            self.fail("max_value", max_value=LARGEST)
        return float(data)


class Whole(serializers.IntegerField):
    """A whole number; REST framework's own field also takes texts for one."""

    def to_internal_value(self, data: Any) -> int:
        """The number."""
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class RuleSerializer(StrictSerializer):
    """A rule, with what it read last."""

    id = serializers.UUIDField(read_only=True)
    slug = serializers.CharField(read_only=True, help_text="Of a ready-made rule, else empty.")
    name = Text(max_length=100)
    condition = Text(
        max_length=60, required=False, allow_blank=True, help_text="This, or metric and aggregate."
    )
    metric = Text(
        max_length=100,
        required=False,
        allow_blank=True,
        help_text="As in `/api/metrics/names`, or one of HUMMBL's own that has no samples yet.",
    )
    tags = serializers.DictField(
        child=Text(max_length=MOST_TAG_LENGTH),
        required=False,
        help_text="Only samples with these tags.",
    )
    aggregate = serializers.ChoiceField(choices=Aggregate.choices, required=False, allow_blank=True)
    window_seconds = Whole(min_value=SHORTEST_WINDOW, max_value=LONGEST_WINDOW, required=False)
    min_samples = Whole(
        min_value=0, max_value=MOST_SAMPLES, required=False, help_text="Fewer say nothing."
    )
    comparison = serializers.ChoiceField(choices=Comparison.choices, required=False)
    threshold = Number()
    for_seconds = Whole(
        min_value=0, max_value=LONGEST_WINDOW, required=False, help_text="How long before it fires."
    )
    repeat_seconds = Whole(
        min_value=SHORTEST_REPEAT,
        max_value=LONGEST_REPEAT,
        required=False,
        help_text="Channels are told once in so long that it fires.",
    )
    severity = serializers.ChoiceField(choices=Severity.choices, required=False)
    is_active = Flag(required=False)
    channels = serializers.PrimaryKeyRelatedField(
        many=True,
        queryset=NotificationChannel.objects.all(),
        required=False,
        error_messages={"does_not_exist": "There is no channel with this id."},
        help_text="Which are told; none: all of them.",
    )
    summary = serializers.CharField(read_only=True, help_text="The condition in words.")
    unit = serializers.CharField(read_only=True)
    state = serializers.ChoiceField(
        choices=["inactive", "ok", AlertState.PENDING, AlertState.FIRING], read_only=True
    )
    value = serializers.FloatField(read_only=True, allow_null=True, help_text="The last reading.")
    evaluated_at = serializers.DateTimeField(read_only=True, allow_null=True)
    created_at = serializers.DateTimeField(read_only=True)


class DeliverySerializer(serializers.Serializer[Any]):
    """What a channel was told."""

    id = serializers.UUIDField()
    channel_id = serializers.UUIDField(allow_null=True)
    channel = serializers.CharField(source="channel_name")
    event = serializers.ChoiceField(choices=DeliveryEvent.choices)
    state = serializers.ChoiceField(choices=DeliveryState.choices)
    attempts = serializers.IntegerField()
    error = serializers.CharField(help_text="Why the last attempt failed.")
    created_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)


class AlertSerializer(serializers.Serializer[Any]):
    """An alert."""

    id = serializers.UUIDField()
    rule_id = serializers.UUIDField(allow_null=True)
    rule = serializers.CharField(source="rule_name")
    severity = serializers.ChoiceField(choices=Severity.choices)
    state = serializers.ChoiceField(choices=AlertState.choices)
    summary = serializers.CharField(help_text="The condition in words.")
    value = serializers.FloatField(help_text="The last reading that was too much.")
    unit = serializers.CharField()
    threshold = serializers.FloatField()
    started_at = serializers.DateTimeField()
    fired_at = serializers.DateTimeField(allow_null=True)
    resolved_at = serializers.DateTimeField(allow_null=True)
    notified_at = serializers.DateTimeField(allow_null=True)


class AlertDetailSerializer(AlertSerializer):
    """An alert, and what was told of it."""

    deliveries = DeliverySerializer(many=True)


class SilenceSerializer(StrictSerializer):
    """A time in which nobody is told."""

    id = serializers.UUIDField(read_only=True)
    rule_id = serializers.PrimaryKeyRelatedField(
        source="rule",
        queryset=AlertRule.objects.all(),
        pk_field=serializers.UUIDField(),
        allow_null=True,
        required=False,
        error_messages={"does_not_exist": "There is no rule with this id."},
        help_text="None: every rule.",
    )
    starts_at = serializers.DateTimeField(required=False, help_text="Now, unless you say so.")
    ends_at = serializers.DateTimeField()
    reason = Text(max_length=200)
    created_by = serializers.UUIDField(source="created_by_id", read_only=True, allow_null=True)
    created_at = serializers.DateTimeField(read_only=True)


class ChannelSerializer(StrictSerializer):
    """A channel, without the address and the secret of a webhook."""

    id = serializers.UUIDField(read_only=True)
    kind = serializers.ChoiceField(choices=ChannelKind.choices)
    name = Text(max_length=100)
    addresses = serializers.ListField(
        child=Text(max_length=254),
        required=False,
        max_length=MOST_ADDRESSES,
        help_text="Of an e-mail channel; none: every administrator.",
    )
    url = Text(
        max_length=LONGEST_URL,
        required=False,
        allow_blank=True,
        write_only=True,
        help_text="Of a webhook. It only goes in.",
    )
    host = serializers.CharField(read_only=True, help_text="Where a webhook leads.")
    is_active = Flag(required=False)
    created_at = serializers.DateTimeField(read_only=True)


class ChannelChangesSerializer(ChannelSerializer):
    """What can be changed of a channel."""

    kind = serializers.ChoiceField(choices=ChannelKind.choices, read_only=True)


class NewChannelSerializer(ChannelSerializer):
    """A new channel."""

    secret = serializers.CharField(
        read_only=True, help_text="Signs what a webhook is sent; shown this once."
    )
