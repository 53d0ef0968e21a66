"""Django app configuration."""

from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    """The workflows app."""

    name = "workflows"

    def ready(self) -> None:
        """Tell the apps below about the workers, the pages of our objects, and what is whose."""
        from accounts import holdings
        from accounts.audit.log import register_page
        from observability import health
        from workflows import ownership
        from workflows.models import Execution, Worker, Workflow

        register_page(Workflow, "workflow_detail")
        register_page(Execution, "execution_detail")
        health.register("worker", Worker.health)
        for name, holding in ownership.HOLDINGS.items():
            holdings.register(name, holding)
        holdings.register_deletion("workflows", ownership.delete_workflows)
