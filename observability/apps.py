"""Django app configuration."""

from django.apps import AppConfig


class ObservabilityConfig(AppConfig):
    """The observability app."""

    name = "observability"
