"""The JSON form of errors."""

from typing import Any

from rest_framework import serializers

from hummbl.api.serializers import StrictSerializer
from observability.models import ErrorGroup, ErrorReport
from observability.models.severity import Severity


class ErrorGroupSerializer(serializers.ModelSerializer[ErrorGroup]):
    """A group of errors that are the same."""

    severity = serializers.ChoiceField(choices=Severity.choices)
    users = serializers.IntegerField(source="users_count", help_text="Who met it; at most 1,000.")
    regressed = serializers.BooleanField(help_text="It came back after it was resolved.")

    class Meta:
        model = ErrorGroup
        fields: tuple[str, ...] = (
            "id",
            "title",
            "culprit",
            "source",
            "severity",
            "status",
            "regressed",
            "count",
            "users",
            "first_seen",
            "last_seen",
            "first_release",
            "last_release",
            "resolved_at",
            "resolved_in",
        )


class PartSerializer(serializers.Serializer[Any]):
    """A part of what a fingerprint was made of."""

    kind = serializers.CharField()
    value = serializers.CharField()


class LineSerializer(serializers.Serializer[Any]):
    """A line of source."""

    line = serializers.IntegerField()
    text = serializers.CharField()


class FrameSerializer(serializers.Serializer[Any]):
    """A call that was under way."""

    module = serializers.CharField()
    function = serializers.CharField()
    file = serializers.CharField()
    line = serializers.IntegerField()
    in_app = serializers.BooleanField(help_text="HUMMBL's own code.")
    source = LineSerializer(many=True)  # type: ignore[assignment]  # a field of that name


class ExceptionSerializer(serializers.Serializer[Any]):
    """An exception, its frames from the outermost on."""

    type = serializers.CharField()
    message = serializers.CharField()
    frames = FrameSerializer(many=True)


class ReportSerializer(serializers.ModelSerializer[ErrorReport]):
    """One occurrence. The first exception of the stack is the one that was seen."""

    stack = ExceptionSerializer(many=True)
    context = serializers.DictField()  # type: ignore[assignment]  # a field of that name

    class Meta:
        model = ErrorReport
        fields = (
            "id",
            "at",
            "message",
            "stack",
            "context",
            "release",
            "request_id",
            "user_id",
            "execution_id",
        )


class HourSerializer(serializers.Serializer[Any]):
    """How often it happened in an hour."""

    at = serializers.DateTimeField(source="hour")
    count = serializers.IntegerField()


class ErrorGroupDetailSerializer(ErrorGroupSerializer):
    """A group with why it is one, its last seven days by hour, and its latest reports."""

    version = serializers.IntegerField(help_text="Of the rules that `why` was made by.")
    why = PartSerializer(many=True, source="parts")
    hours = HourSerializer(many=True, source="shown_hours")
    reports = ReportSerializer(many=True, source="shown_reports")

    class Meta(ErrorGroupSerializer.Meta):
        fields = (*ErrorGroupSerializer.Meta.fields, "version", "why", "hours", "reports")


class ResolveSerializer(StrictSerializer):
    """How it was resolved."""

    in_next_release = serializers.BooleanField(
        required=False,
        default=False,
        help_text="This release may go on with it; only another one reopens it.",
    )
