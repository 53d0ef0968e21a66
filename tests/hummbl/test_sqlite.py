"""How a SQLite file is opened."""

import sqlite3
from contextlib import closing

import pytest
from django.db import connection

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]


@pytest.fixture
def other():
    """A second connection of the application, as another thread has."""
    if connection.vendor != "sqlite":
        pytest.skip("These are settings of SQLite.")
    copy = connection.copy()
    copy.settings_dict = connection.settings_dict | {
        "OPTIONS": connection.settings_dict["OPTIONS"] | {"timeout": 0.1}
    }
    yield copy
    copy.close()


def test_a_connection_opens_while_another_writes(other):
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with other.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM accounts_user")


def test_readers_do_not_wait_and_free_pages_can_be_given_back(other):
    with other.cursor() as cursor:
        assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert cursor.execute("PRAGMA auto_vacuum").fetchone() == (2,)  # incremental
        assert cursor.execute("PRAGMA synchronous").fetchone() == (2,)  # full
