"""`manage.py cleanup`: delete what has been kept long enough."""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from hummbl import retention, schema, space

_OLD_FILE = (
    "This file keeps the room of deleted rows for new ones. To get it back, stop web and workers "
    "and run once: manage.py cleanup --vacuum"
)


class Command(BaseCommand):
    """Delete expired rows and print how many of what. The worker does the same once an hour."""

    help = (
        "Deletes what has been kept long enough (RETENTION_… in .env.example) and gives the room "
        "back. Workers do it once an hour."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare --dry-run and --vacuum."""
        parser.add_argument(
            "--dry-run", action="store_true", help="print what would be deleted, and delete nothing"
        )
        parser.add_argument(
            "--vacuum",
            action="store_true",
            help="SQLite: write the file anew, as small as it can be. Everybody waits meanwhile, "
            "and the disk needs twice the file's size",
        )

    def handle(self, *_args: Any, dry_run: bool, vacuum: bool, **_options: Any) -> None:
        """Delete, or only count, and report."""
        if vacuum and (dry_run or connection.vendor != "sqlite"):
            raise CommandError(
                "--vacuum goes with SQLite and without --dry-run. PostgreSQL uses freed room by "
                "itself; VACUUM FULL in psql makes its files small, and stops everybody meanwhile."
            )
        if schema.read().pending:
            raise CommandError("Migrations are pending: manage.py migrate applies them.")
        if dry_run:
            self._print("would go", retention.preview())
            return
        outcome = retention.clean_up(vacuum=vacuum)
        self._print("deleted", outcome.results)
        self.stdout.write(f"The database is {outcome.size}.")
        if not space.can_give_back():
            self.stdout.write(_OLD_FILE)
        problems = [f"{each.name}: {each.problem}" for each in outcome.results if each.problem]
        if problems:
            raise CommandError(f"Not everything was cleaned up. {'; '.join(problems)}")

    def _print(self, what: str, results: Sequence[retention.Result]) -> None:
        lines = [("", what, "")]
        lines += [(each.name, f"{each.rows:,}", each.description) for each in results]
        first, second = (max(len(line[column]) for line in lines) for column in (0, 1))
        for name, rows, description in lines:
            self.stdout.write(f"{name:<{first}}  {rows:>{second}}  {description}".rstrip())
