"""Django app configuration."""

from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class HummblConfig(AppConfig):
    """What every app stands on; it has no tables."""

    name = "hummbl"

    def ready(self) -> None:
        """Register the system checks, and prepare a database file that is new."""
        from hummbl import checks  # noqa: F401

        connection_created.connect(_prepare_sqlite, dispatch_uid="hummbl.prepare_sqlite")


def _prepare_sqlite(connection: Any, **_: Any) -> None:
    """Choose how an empty SQLite file is kept: readers beside the writer, free pages given back.

    Once and not at every connection: setting `auto_vacuum` waits for SQLite's one write lock.
    """
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        if cursor.execute("PRAGMA page_count").fetchone() == (0,):
            # In this order: a file in WAL mode is no longer empty.
            cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")
            cursor.execute("PRAGMA journal_mode=WAL")
