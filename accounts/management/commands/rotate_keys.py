"""Move the stored secrets under the first of ENCRYPTION_KEYS."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import audit
from accounts.models import Action
from hummbl import encryption
from hummbl.logging import escape
from hummbl.rotation import Rotation

HELP = """Encrypt every stored secret under the first of ENCRYPTION_KEYS.

Run it while the service runs, once every process has the new list of keys: first add the new key at
the end and restart, then put it first and restart, then rotate, then remove the old key."""


class Command(BaseCommand):
    """`rotate_keys`: run it again at any time; it goes on where it was cut off."""

    help = HELP

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The options."""
        parser.add_argument(
            "--dry-run", action="store_true", help="only say what is to be done, and what is lost"
        )

    def handle(self, **options: Any) -> None:
        """Rotate, or only look. Raises CommandError (exit code 1) if a secret is unreadable."""
        found = Rotation()
        if options["dry_run"]:
            found.look()
        else:
            _rotate(found)
        for line in found.unreadable:
            self.stdout.write(f"Cannot be decrypted: {escape(line)}")
        done = f"{found.outdated} to re-encrypt" if found.outdated else "nothing left to re-encrypt"
        self.stdout.write(
            f"{_count(found.seen)}: {found.rotated} re-encrypted, {done}, "
            f"{len(found.unreadable)} unreadable."
        )
        for line in _old_keys(found):
            self.stdout.write(line)
        if found.unreadable:
            raise CommandError(
                f"{_count(len(found.unreadable))} cannot be decrypted. Put the key with that id "
                "back into ENCRYPTION_KEYS, or let the owner enter the secret again."
            )


def _rotate(found: Rotation) -> None:
    """Rotate, and note what was done even when it is cut off."""
    try:
        found.rotate()
    finally:
        unreadable = len(found.unreadable)
        with audit.command_line():
            audit.record(Action.KEYS_ROTATED, rotated=found.rotated, unreadable=unreadable)


def _count(number: int) -> str:
    return f"{number} stored secret{'' if number == 1 else 's'}"


def _old_keys(found: Rotation) -> Iterator[str]:
    """Which of the keys are needed still, and which are not."""
    for place, key_id in enumerate(encryption.key_ids()[1:], start=2):
        which = f"Encryption key {key_id}, number {place} of ENCRYPTION_KEYS,"
        if found.uses[key_id]:
            yield f"{which} is still used by {_count(found.uses[key_id])}."
        else:
            yield (
                f"{which} is no longer used: you can remove it when every process runs with this "
                "list. Keep it with the backups from before this rotation, which need it."
            )
