"""`manage.py migrate`: Django's command, one process at a time."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as Migrate

from hummbl import migration_lock

PATIENCE = 600.0


class Command(Migrate):
    """Applies pending migrations under a lock: of many deployments at once, one does it."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare --lock-timeout beside Django's."""
        super().add_arguments(parser)  # type: ignore[arg-type] # its stubs narrow the parser
        parser.add_argument(
            "--lock-timeout",
            type=float,
            default=PATIENCE,
            metavar="SECONDS",
            help=f"how long to wait for another process that migrates (default: {PATIENCE:g})",
        )

    def execute(self, *args: Any, **options: Any) -> Any:
        """Wait for the lock, then do as Django does: look at what is pending only now."""
        if options["plan"] or options["check_unapplied"]:
            return super().execute(*args, **options)
        patience = options["lock_timeout"]

        def on_wait() -> None:
            self.stderr.write(
                f"Another process is migrating this database: waiting for it up to {patience:g} s."
            )

        try:
            with migration_lock.held(options["database"], patience=patience, on_wait=on_wait):
                return super().execute(*args, **options)
        except migration_lock.StillLocked:
            raise CommandError(
                f"Another process has been migrating this database for {patience:g} s. See what it "
                "does (on PostgreSQL: application_name 'hummbl migrate' in pg_stat_activity), and "
                "try again when it has ended. Nothing was changed."
            ) from None
