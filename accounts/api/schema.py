"""What the OpenAPI document says of access tokens."""

from typing import Any

from drf_spectacular import openapi

from accounts.api.scopes import SESSION_ONLY, needed


class AutoSchema(openapi.AutoSchema):
    """Ends each description with the scopes that the operation needs."""

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        """The operation, None for one that is not documented."""
        operation = super().get_operation(*args, **kwargs)
        if operation and self.view.authentication_classes:
            parts = (operation.get("description", ""), _sentence(needed(self.view, self.method)))
            operation["description"] = "\n\n".join(part for part in parts if part)
        return operation


def _sentence(scopes: list[str]) -> str:
    if SESSION_ONLY in scopes:
        return "Not for access tokens."
    names = " and ".join(f"`{scope}`" for scope in scopes)
    return f"Access tokens need the scope{'s' if len(scopes) > 1 else ''} {names}."
