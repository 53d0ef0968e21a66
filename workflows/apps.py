"""Django app configuration."""

from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    """The workflows app."""

    name = "workflows"

    def ready(self) -> None:
        """Tell the apps below about the workers, the pages of our objects, and what is whose."""
        from accounts import holdings
        from accounts.audit.log import register_page
        from observability.dashboard import links
        from workflows import alerts, backups, gauges, health, housekeeping, ownership
        from workflows.engine.dispatchers import leftovers
        from workflows.models import Execution, Workflow

        register_page(Workflow, "workflow_detail")
        register_page(Execution, "execution_detail")
        health.register()
        alerts.register()
        gauges.register()
        links.register(
            links.EXECUTIONS, "Runs", "manage_executions", between=f"{links.START}/{links.END}"
        )
        for name, holding in ownership.HOLDINGS.items():
            holdings.register(name, holding)
        holdings.register_deletion("workflows", ownership.delete_workflows)
        backups.register()
        housekeeping.register()
        leftovers.register()
