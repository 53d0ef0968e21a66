"""What makes alerts happen: a duty of every minute, and the rules that a new database gets."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from hummbl import duties
from observability.alerts import conditions, housekeeping, ready_made


def install(app: AppConfig) -> None:
    """Register all of it; what `AppConfig.ready()` calls."""
    from accounts.audit.log import register_page
    from observability.models import AlertRule, NotificationChannel

    conditions.register_ours()
    ready_made.register_ours()
    post_migrate.connect(ready_made.install, sender=app, dispatch_uid="alert-rules")
    duties.register("alerts", _act)
    housekeeping.register()
    register_page(AlertRule, "manage_rule")
    register_page(NotificationChannel, "manage_channel")


def _act() -> None:
    from observability.alerts.evaluation import evaluate
    from observability.alerts.sending import deliver

    try:
        evaluate()
    finally:
        # What it has to say leaves in the same minute; what has waited leaves in any case.
        deliver()
