"""`manage.py cleanup`: delete what has been kept long enough."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from hummbl import retention


class Command(BaseCommand):
    """Delete expired rows and print how many of what. The worker does the same once an hour."""

    help = "Deletes expired sessions and tokens and old audit entries. The worker does it hourly."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare --dry-run."""
        parser.add_argument(
            "--dry-run", action="store_true", help="print what would be deleted, and delete nothing"
        )

    def handle(self, *_args: Any, dry_run: bool, **_options: Any) -> None:
        """Delete, or only count, and report."""
        results = retention.preview() if dry_run else retention.run()
        lines = [("", "would go" if dry_run else "deleted", "")]
        lines += [(each.name, f"{each.rows:,}", each.description) for each in results]
        first, second = (max(len(line[column]) for line in lines) for column in (0, 1))
        for name, rows, description in lines:
            self.stdout.write(f"{name:<{first}}  {rows:>{second}}  {description}".rstrip())
