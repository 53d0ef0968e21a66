"""The JSON form of the audit log."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import AuditEntry


class ActorSerializer(serializers.Serializer[Any]):
    """Who did it, as they were called then; without an id whoever has a shell here."""

    id = serializers.UUIDField(allow_null=True)
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name


class ObjectSerializer(serializers.Serializer[Any]):
    """What it was done to, as it was called then; it may be gone."""

    type = serializers.CharField()
    id = serializers.UUIDField(allow_null=True)
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name


class AuditEntrySerializer(serializers.ModelSerializer[AuditEntry]):
    """An entry of the audit log."""

    actor = serializers.SerializerMethodField()
    action_label = serializers.CharField(source="text")
    object = serializers.SerializerMethodField()
    data = serializers.DictField()  # type: ignore[assignment]  # a field of that name

    class Meta:
        model = AuditEntry
        fields = ("id", "at", "actor", "action", "action_label", "object", "data", "ip")

    @extend_schema_field(ActorSerializer(allow_null=True))
    def get_actor(self, entry: AuditEntry) -> dict[str, Any] | None:
        """None for a stranger."""
        known = entry.actor_id or entry.actor_label
        return {"id": entry.actor_id, "label": entry.actor_label} if known else None

    @extend_schema_field(ObjectSerializer(allow_null=True))
    def get_object(self, entry: AuditEntry) -> dict[str, Any] | None:
        """None where there is none."""
        if not (entry.object_id or entry.object_label):
            return None
        label = entry.object_label
        return {"type": entry.object_type, "id": entry.object_id, "label": label}
