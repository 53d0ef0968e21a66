"""Serializers that take exactly what they name."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail


class Text(serializers.CharField):
    """A string; REST framework's own field also takes numbers for one."""

    def to_internal_value(self, data: Any) -> str:
        """The string, trimmed unless told otherwise."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Email(serializers.EmailField, Text):
    """An e-mail address, as a string."""


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not know and fields that only the server sets."""

    def to_internal_value(self, data: Any) -> Any:
        """The validated fields. Raises ValidationError that names every refused field."""
        if isinstance(data, Mapping):
            refused = {str(name): self._refusal(str(name)) for name in data}
            refused = {name: errors for name, errors in refused.items() if errors}
            if refused:
                raise serializers.ValidationError(refused)
        return super().to_internal_value(data)

    def _refusal(self, name: str) -> list[ErrorDetail]:
        field = self.fields.get(name)
        if field is None:
            known = ", ".join(key for key, value in self.fields.items() if not value.read_only)
            return [ErrorDetail(f"Unknown field. Known here: {known}.", code="unknown_field")]
        if field.read_only:
            return [ErrorDetail("This field cannot be set.", code="read_only")]
        return []
