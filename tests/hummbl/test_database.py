import os

from django.db import connection


def test_the_run_is_on_the_database_it_was_asked_for(db):
    wanted = "postgresql" if os.environ.get("TEST_DATABASE_URL") else None
    assert wanted is None or connection.vendor == wanted
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
