"""Django app configuration."""

from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class HummblConfig(AppConfig):
    """What every app stands on."""

    name = "hummbl"

    def ready(self) -> None:
        """Register checks and the clean-up, and prepare a database file that is new."""
        from hummbl import checks, retention  # noqa: F401

        retention.install()
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
