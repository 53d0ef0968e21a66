"""Reading what was sent."""

from typing import Any

from rest_framework.serializers import BaseSerializer


def validated(serializer: BaseSerializer[Any]) -> dict[str, Any]:
    """The body as the serializer understands it. Raises DRF's ValidationError."""
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
