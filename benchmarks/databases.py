"""Fresh databases for measurements: migrated once, copied for each, removed afterwards."""

import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from benchmarks.processes import BASE_DIR

DEFAULT_URL = "postgres://postgres@127.0.0.1:5432/postgres"
# Everything else is as this installation is configured, and so is what a user would get.
FIXED = {
    "ENVIRONMENT": "development",
    "DEBUG": "off",
    "DJANGO_SETTINGS_MODULE": "hummbl.settings",
    "LOG_FORMAT": "console",
    "SENTRY_DSN": "",
    "WEB_CONCURRENCY": "1",
}


class Unavailable(Exception):
    """A database that cannot be measured; the message says why."""


class Database(Protocol):
    """A kind of database."""

    label: str
    version: str

    def fresh(self) -> AbstractContextManager[str]:
        """The URL of a migrated, empty database that exists inside a `with` block."""

    def empty(self) -> AbstractContextManager[str]:
        """The same without our tables."""


class Sqlite:
    """Files in a folder."""

    label = "SQLite"
    version = sqlite3.sqlite_version

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._template = folder / "template" / "db.sqlite3"
        migrate(f"sqlite:///{self._template}", folder)

    @contextmanager
    def fresh(self) -> Iterator[str]:
        with self.empty() as url:
            shutil.copy(self._template, url.removeprefix("sqlite:///"))
            yield url

    @contextmanager
    def empty(self) -> Iterator[str]:
        folder = self._folder / secrets.token_hex(4)
        folder.mkdir()
        try:
            yield f"sqlite:///{folder / self._template.name}"
        finally:
            shutil.rmtree(folder)


class Postgres:
    """Databases on the server of a URL, each a copy of `template`."""

    label = "PostgreSQL"

    def __init__(self, url: str, template: str) -> None:
        self._url, self._template = url, template
        self.version = str(run(url, "SHOW server_version")).split()[0]

    @contextmanager
    def fresh(self) -> Iterator[str]:
        with created(self._url, f"TEMPLATE {self._template}") as name:
            yield with_name(self._url, name)

    @contextmanager
    def empty(self) -> Iterator[str]:
        with created(self._url) as name:
            yield with_name(self._url, name)


def open_postgres(stack: ExitStack, folder: Path) -> Postgres:
    """The server of TEST_DATABASE_URL, or the local one. Raises Unavailable if none answers."""
    import psycopg

    url = os.environ.get("TEST_DATABASE_URL") or DEFAULT_URL
    try:
        template = stack.enter_context(created(url))
    except psycopg.Error as error:
        place = urlsplit(url)
        reason = str(error).strip().splitlines()[-1]
        raise Unavailable(f"{place.hostname}:{place.port or 5432}: {reason}") from None
    migrate(with_name(url, template), folder)
    return Postgres(url, template)


@contextmanager
def created(url: str, how: str = "") -> Iterator[str]:
    """The name of a new database on that server, which is dropped at the end."""
    name = f"hummbl_bench_{secrets.token_hex(4)}"
    run(url, f"CREATE DATABASE {name} {how}")
    try:
        yield name
    finally:
        run(url, f"DROP DATABASE {name} WITH (FORCE)")


def run(url: str, sql: str) -> object:
    """Run one statement; the first value of its first row, if it has any."""
    import psycopg

    with psycopg.connect(url, autocommit=True, connect_timeout=3) as connection:
        cursor = connection.execute(sql.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def with_name(url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def migrate(url: str, folder: Path) -> None:
    """Apply all migrations."""
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=BASE_DIR, env=environment(url, folder), check=True)


def environment(url: str, folder: Path) -> dict[str, str]:
    """What a measured process gets: this database, and secrets of its own in `folder`."""
    return {**os.environ, **FIXED, "DATABASE_URL": url, "DATA_DIR": str(folder / "data")}
