"""`manage.py schema status` and `schema verify`: how far the tables are, and where they differ."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hummbl import drift, schema


class Command(BaseCommand):
    """Prints what is applied and pending, or fails when the tables are not as the models say."""

    help = "Shows the migrations that are applied and pending, or looks for drift in the tables."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what to do."""
        parser.add_argument(
            "action",
            choices=["status", "verify"],
            help="status: list the migrations. verify: end with 1 unless all are applied and every "
            "table, column, index, constraint and trigger is as the models say",
        )

    def handle(self, *_args: Any, action: str, **_options: Any) -> None:
        """Look and report."""
        now = schema.read()
        if action == "status":
            self._list(now)
        self._say(now)
        if action == "verify":
            self._verify(now)

    def _list(self, now: schema.Schema) -> None:
        marks = (("applied", now.applied), ("pending", now.pending))
        for mark, migrations in marks:
            for app, name in migrations:
                newer = "  (of a newer release)" if (app, name) in now.unknown else ""
                self.stdout.write(f"{mark}  {app}.{name}{newer}")

    def _say(self, now: schema.Schema) -> None:
        self.stdout.write(
            f"Schema version: {now.version or 'none'}. "
            f"{len(now.applied)} migrations applied, {len(now.pending)} pending."
        )

    def _verify(self, now: schema.Schema) -> None:
        if now.pending:
            raise CommandError("Migrations are pending: manage.py migrate applies them.")
        if now.unknown:
            raise CommandError(
                "A newer release has migrated this database: its own `schema verify` knows how "
                "the tables should be."
            )
        differences = list(drift.find())
        for difference in differences:
            self.stderr.write(difference)
        if differences:
            raise CommandError(
                f"The tables differ from the models in {len(differences)} places. What a migration "
                "would not have done, somebody did by hand: undo that, or restore a backup."
            )
        self.stdout.write("Every table is as the models say.")
