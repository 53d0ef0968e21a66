import os

import pytest
from django.conf import settings
from django.db import connection


def test_the_run_is_on_the_database_it_was_asked_for(db):
    wanted = "postgresql" if os.environ.get("TEST_DATABASE_URL") else None
    assert wanted is None or connection.vendor == wanted
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


def test_a_database_that_is_back_is_found_at_once(is_postgres):
    """The pool's pauses between attempts double until it gives up; then whoever asks tries anew."""
    if not is_postgres:
        pytest.skip("SQLite has no pool.")
    pool = settings.DATABASES["default"]["OPTIONS"]["pool"]
    assert pool["reconnect_timeout"] <= pool["timeout"]
