"""Django app configuration."""

from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    """The workflows app."""

    name = "workflows"

    def ready(self) -> None:
        """Tell the health report about the workers."""
        from observability import health
        from workflows.models.worker import Worker

        health.register("worker", Worker.health)
