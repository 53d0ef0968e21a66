"""What the API answers to OPTIONS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.metadata import BaseMetadata

if TYPE_CHECKING:
    # REST framework's views import this module.
    from rest_framework.request import Request
    from rest_framework.views import APIView


class AllowedMethods(BaseMetadata):
    """The methods of the address, as in `Allow`; fields are described by `/api/schema`."""

    def determine_metadata(self, request: Request, view: APIView) -> dict[str, Any]:
        """The answer's body."""
        return {"methods": view.allowed_methods}
