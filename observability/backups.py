"""What backups mean for observability: nobody is told again, nothing is written meanwhile."""

from hummbl import backup
from observability import metrics


def register() -> None:
    """Tell `hummbl.backup`."""
    backup.during_restore("metrics", metrics.held)
    backup.after_restore("alert deliveries", lambda _: _give_up_deliveries())


def _give_up_deliveries() -> None:
    """What waited when the backup was made has been sent since, or is news no longer."""
    from observability.models import Delivery, DeliveryState

    waiting = Delivery.objects.filter(state=DeliveryState.PENDING)
    waiting.update(state=DeliveryState.FAILED, error="A backup was restored before it was sent.")
