"""A second, empty database of the kind that the tests run on, and standing on it for a while."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection
from django.db.utils import OperationalError

Elsewhere = Callable[[], AbstractContextManager[None]]


@contextmanager
def standing_on(name: str) -> Iterator[None]:
    """The default database is that of this name, for this process and those that it starts."""
    before = connection.settings_dict["NAME"]
    _use(name)
    try:
        yield
    finally:
        _use(before)


def _use(name: str) -> None:
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()
    connection.settings_dict["NAME"] = name


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    """`with elsewhere():` is on a database that has no tables at first."""
    name = f"hummbl_{uuid4().hex}"
    if connection.vendor == "sqlite":
        yield lambda: standing_on(str(tmp_path / name))
        return
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    try:
        yield lambda: standing_on(name)
    finally:
        with connection.cursor() as cursor, suppress(OperationalError):
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
