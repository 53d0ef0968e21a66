"""Backups: everything in the database in one file that either database restores.

`make` writes it while web and workers run, `check` reads it through, `restore` puts it in place of
what is there. The rows are read as of one moment and written as JSON, so a backup is tied neither
to SQLite nor to a version of PostgreSQL, and one of an older version of HUMMBL is migrated after
it was restored.

What a backup does not hold: the secrets of the environment (provider keys stay as encrypted as they
are stored), and what apps leave out, because it means nothing in another database or must not come
back to life there.
"""

from hummbl.backup.archive import BackupError, Manifest
from hummbl.backup.hooks import after_restore, before_restore, during_restore, leave_out
from hummbl.backup.making import make, tidy_when_told_to_end, write_to
from hummbl.backup.restoring import check, missing_keys, restore

__all__ = [
    "BackupError",
    "Manifest",
    "after_restore",
    "before_restore",
    "check",
    "during_restore",
    "leave_out",
    "make",
    "missing_keys",
    "restore",
    "tidy_when_told_to_end",
    "write_to",
]
