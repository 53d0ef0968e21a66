"""What backups mean for accounts: who was signed in is left out, a restore stands in the log."""

from accounts import audit
from accounts.models import Action
from hummbl import backup


def register() -> None:
    """Tell `hummbl.backup`."""
    # A session that was ended since the backup was made must not come back to life.
    backup.leave_out("accounts.Session", "sessions.Session")
    backup.after_restore("audit", _record)


def _record(manifest: backup.Manifest) -> None:
    with audit.command_line():
        audit.record(
            Action.DATABASE_RESTORED,
            made_at=manifest.made_at.isoformat(),
            version=manifest.version,
            rows=manifest.rows,
        )
