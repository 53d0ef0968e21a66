"""Django app configuration."""

from django.apps import AppConfig


class HummblConfig(AppConfig):
    """What every app stands on; it has no tables."""

    name = "hummbl"

    def ready(self) -> None:
        """Register the system checks."""
        from hummbl import checks  # noqa: F401
