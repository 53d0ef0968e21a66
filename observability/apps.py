"""Django app configuration."""

from django.apps import AppConfig


class ObservabilityConfig(AppConfig):
    """The observability app."""

    name = "observability"

    def ready(self) -> None:
        """Register what this app does beside answering requests."""
        from accounts.audit.log import register_page
        from observability import automatic, backups, health_checks, rollup
        from observability.alerts import hooks as alerts
        from observability.dashboard import links
        from observability.errors import hooks, housekeeping
        from observability.models import ErrorGroup

        health_checks.register()
        links.register_ours()
        automatic.start()
        backups.register()
        rollup.register()
        housekeeping.register()
        hooks.install()
        register_page(ErrorGroup, "manage_error")
        alerts.install(self)
