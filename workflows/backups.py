"""What backups mean for executions: none is under way while rows are replaced, all go on after."""

from django.db import connection

from hummbl import backup
from workflows.models import Execution, Worker


def register() -> None:
    """Tell `hummbl.backup`."""
    backup.leave_out("workflows.Worker")
    backup.before_restore("workers", _refuse_beside_workers)
    backup.after_restore("executions", lambda _: Execution.objects.under_way().hand_to_anybody())


def _refuse_beside_workers() -> None:
    if Worker._meta.db_table not in connection.introspection.table_names():  # noqa: SLF001
        return
    alive = Worker.objects.alive().count()
    if alive:
        raise backup.BackupError(
            f"{alive} worker{' is' if alive == 1 else 's are'} running, or did until a few seconds "
            "ago. Stop web and workers, wait 20 seconds and restore again; --force goes on anyway."
        )
