"""What is measured of statements."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import User
from observability import database, metrics, series

pytestmark = pytest.mark.django_db


def counted(name, tag):
    """How many samples there are of a metric, by a tag."""
    metrics.flush()
    now = datetime.now(UTC)
    minutes = timedelta(minutes=5)
    return {
        key[0]: of.count for key, of in series.by(name, now - minutes, now + minutes, [tag]).items()
    }


def test_statements_count_by_what_they_do(alice):
    metrics.reset()
    User.objects.get(pk=alice.pk)
    User.objects.filter(pk=alice.pk).update(name="Other")
    User.objects.filter(name="Nobody").exists()
    with connection.cursor() as cursor:
        cursor.execute("  WITH one AS (SELECT 1) SELECT * FROM one")
    assert counted("db.query.duration", "operation") == {"select": 2, "update": 1, "other": 1}


@pytest.mark.django_db(transaction=True)
def test_commits_count_too():
    metrics.reset()
    with transaction.atomic():
        User.objects.exists()
    found = counted("db.query.duration", "operation")
    assert (found["select"], found["commit"]) == (1, 1)


def test_writing_the_metrics_is_not_measured():
    metrics.reset()
    metrics.count("something")
    metrics.flush()
    metrics.flush()
    assert counted("db.query.duration", "operation") == {}


def test_what_fails_counts_by_its_error():
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")
    (error,) = counted("db.errors", "error")
    assert error in {"OperationalError", "ProgrammingError"}


def test_slow_statements_are_kept_by_their_text(alice, monkeypatch):
    monkeypatch.setattr(database, "SLOW_SECONDS", 0.0)
    metrics.reset()
    for name in ("canary", "other"):
        User.objects.filter(name=name, pk__in=[alice.pk, alice.pk]).update(name="canary's")
    (statement,) = counted("db.query.slow", "statement")
    assert statement.startswith("UPDATE accounts_user SET name = ?")
    assert "canary" not in statement


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("SELECT 1", "SELECT ?"),
        ("SELECT 'it''s', 2.5 FROM t1 WHERE a2 = %s", "SELECT ?, ? FROM t1 WHERE a2 = ?"),
        (
            'SELECT "t"."a" FROM "t" WHERE "t"."a" IN (%s, %s, %s)',
            "SELECT t.a FROM t WHERE t.a IN (…)",
        ),
        (
            "SELECT one_long_column, another_long_column, yet_another_long_one FROM t",
            "SELECT … FROM t",
        ),
        ("INSERT INTO t (a, b) VALUES (%s, %s), (%s, %s)", "INSERT INTO t (…) VALUES (…), …"),
        ("INSERT INTO t (a) VALUES (%s), (%s), (%s)", "INSERT INTO t (…) VALUES (?), …"),
        ("UPDATE t\n  SET a = 'never closed", "UPDATE t SET a = ?"),
        ("SELECT $1, $12", "SELECT ?, ?"),
    ],
)
def test_a_statement_is_normalised(sql, text):
    assert database.normalise(sql) == text


def test_a_long_statement_is_cut():
    assert len(database.normalise("UPDATE t SET a = b WHERE " + "c OR " * 5000)) == 200


def test_statements_are_tallied_for_whom_they_are_made():
    with database.tally() as outer:
        User.objects.exists()
        with database.tally() as inner:
            User.objects.exists()
            User.objects.exists()
    assert (outer.statements, inner.statements) == (1, 2)


def test_another_thread_counts_for_itself():
    with database.tally() as here:
        thread = threading.Thread(target=connection.ensure_connection)
        thread.start()
        thread.join()
    assert here.statements == 0


def test_what_wraps_the_statement_that_connects_takes_itself_away_again():
    seen = []

    def wrapper(execute, *args):
        seen.append(args[0])
        return execute(*args)

    def connect():
        try:
            with connection.execute_wrapper(wrapper), connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            with connection.cursor() as cursor:
                cursor.execute("SELECT 2")
        finally:
            connection.close()

    thread = threading.Thread(target=connect)
    thread.start()
    thread.join()
    assert "SELECT 1" in seen  # after what connecting asks
    assert "SELECT 2" not in seen
