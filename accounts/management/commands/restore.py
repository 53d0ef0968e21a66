"""Put a backup in place of what is in the database."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hummbl import backup


class Command(BaseCommand):
    """`restore FILE`: all of it or nothing. With --check the file is only read."""

    help = (
        "Put the backup FILE in place of what is in the database: all of it, or nothing is "
        "changed. Stop web and workers before. A backup of either database restores into either."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, and what may be overridden."""
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument(
            "--check", action="store_true", help="only read it through, and change nothing"
        )
        parser.add_argument(
            "--replace", action="store_true", help="delete what the database holds now"
        )
        parser.add_argument(
            "--force", action="store_true", help="although a worker has given a sign of life"
        )

    def handle(self, *, file: Path, check: bool, **options: Any) -> None:
        """Restore it. Raises CommandError with what to do instead; nothing is changed then."""
        try:
            if check:
                found = backup.check(file)
            else:
                with backup.tidy_when_told_to_end():
                    found = backup.restore(file, replace=options["replace"], force=options["force"])
        except backup.BackupError as error:
            raise CommandError(error.message) from error
        made = f"made {found.made_at:%Y-%m-%d %H:%M} UTC by HUMMBL {found.version} on"
        self.stdout.write(
            f"{'Whole' if check else 'Restored'}: {len(found.tables)} tables, {found.rows:,} rows, "
            f"{made} {found.database}."
        )
        for key, count in backup.missing_keys(found).items():
            self.stdout.write(
                f"{count} provider key{'' if count == 1 else 's'} in it cannot be read here: "
                f"encryption key {key} is not in ENCRYPTION_KEYS. Add it at the end of the list."
            )
        if not check:
            self.stdout.write(
                "Everybody signs in anew. Start web and workers: runs that were under way go on."
            )
