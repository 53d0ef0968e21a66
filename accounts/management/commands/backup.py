"""Write everything in the database into one file."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.template.defaultfilters import filesizeformat

from accounts import audit
from accounts.models import Action
from hummbl import backup

STDOUT: Final = "-"
KEYS_APART: Final = (
    "ENCRYPTION_KEYS and SECRET_KEY are not in it. Keep them apart from it, and safe: without "
    "ENCRYPTION_KEYS nobody can read the provider keys of a restored backup."
)


class Command(BaseCommand):
    """`backup FILE`: as of one moment, while web and workers run; `restore FILE` reads it."""

    help = (
        "Write everything in the database into FILE, as of now, while web and workers run. "
        "It holds prompts, answers and password hashes: keep it as safe as the database."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file."""
        parser.add_argument("file", metavar="FILE", help="a new file, or - for standard output")
        parser.add_argument("--force", action="store_true", help="replace the file if it exists")

    def handle(self, **options: Any) -> None:
        """Write it. Raises CommandError with what to do instead."""
        path = Path(options["file"])
        to_stdout = options["file"] == STDOUT
        try:
            with backup.tidy_when_told_to_end():
                made = (
                    _write_to_stdout()
                    if to_stdout
                    else backup.make(path, overwrite=options["force"])
                )
        except backup.BackupError as error:
            raise CommandError(error.message) from error
        said = self.stderr if to_stdout else self.stdout
        size = "" if to_stdout else f", {filesizeformat(path.stat().st_size)}"
        what = "Standard output" if to_stdout else path
        said.write(f"{what}: {len(made.tables)} tables, {made.rows:,} rows{size}.")
        said.write(KEYS_APART)
        try:
            with audit.command_line():
                audit.record(Action.DATABASE_BACKED_UP, file=path.name, rows=made.rows)
        except DatabaseError as error:
            # Such as a replica, which only reads; the backup is good.
            self.stderr.write(f"The audit log could not be written: {error}")


def _write_to_stdout() -> backup.Manifest:
    if sys.stdout.isatty():
        raise CommandError("A backup is no text: send standard output to a file or a program.")
    try:
        return backup.write_to(sys.stdout.buffer)
    except OSError as error:
        raise CommandError(f"Standard output: {error.strerror}. What came is no use.") from error
