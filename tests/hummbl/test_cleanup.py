"""manage.py cleanup, and the same by the worker once an hour."""

import io
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session as DjangoSession
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone

from accounts.models import AccessToken, AuditEntry, Session
from hummbl import counters, retention
from tests.accounts.entries import forget, make_entry
from workflows.engine import worker as engine


def run(**options):
    out = io.StringIO()
    call_command("cleanup", stdout=out, **options)
    return out.getvalue()


def numbers(said):
    """The second column of the table, by the first."""
    lines = [line.rsplit("  ", 2) for line in said.splitlines()[1:]]
    return {name.strip(): int(rows) for name, rows, _ in lines}


def make_session(user, **times):
    session, _ = Session.open(user, ip="::1", user_agent="x")
    Session.objects.filter(pk=session.pk).update(**times)
    return session


@pytest.fixture
def world(alice):
    """Of everything something that has expired and something that has not."""
    forget()
    now = timezone.now()
    kept = [make_session(alice), make_session(alice, expires_at=now + timedelta(minutes=1))]
    make_session(alice, expires_at=now - timedelta(seconds=1))
    for number, days in enumerate((-1, 1, 29, 31)):
        AccessToken.issue(
            alice, name=str(number), scopes=["read"], expires_at=now - timedelta(days=days)
        )
    for key, hours in (("old", -1), ("new", 1)):
        DjangoSession.objects.create(
            session_key=key, session_data="", expire_date=now + timedelta(hours=hours)
        )
    make_entry(ago=60 * 24 * 366)
    kept_entry = make_entry(ago=60 * 24 * 364)
    return kept, kept_entry


EXPIRED = {"sessions": 1, "browser cookies": 1, "access tokens": 1, "audit log": 1}


def test_deletes_what_has_expired_and_nothing_else(world):
    kept, kept_entry = world
    assert numbers(run()) == EXPIRED
    assert set(Session.objects.all()) == set(kept)
    assert sorted(AccessToken.objects.values_list("name", flat=True)) == ["0", "1", "2"]
    assert [each.session_key for each in DjangoSession.objects.all()] == ["new"]
    assert list(AuditEntry.objects.all()) == [kept_entry]
    assert set(numbers(run()).values()) == {0}


def test_a_dry_run_deletes_nothing(world):
    said = run(dry_run=True)
    assert "would go" in said
    assert numbers(said) == EXPIRED
    assert numbers(run()) == EXPIRED


def test_how_long_the_audit_log_is_kept(world, settings):
    settings.RETENTION_AUDIT = 30
    said = run()
    assert numbers(said)["audit log"] == 2
    assert "older than RETENTION_AUDIT, 30 days" in said


def test_sessions_that_nobody_used(world, alice, settings):
    settings.SESSION_IDLE_TTL = 3600
    make_session(alice, last_used_at=timezone.now() - timedelta(hours=2))
    assert numbers(run())["sessions"] == 2


def test_many_rows_go_in_batches(alice, monkeypatch, django_assert_num_queries):
    """Each in a transaction of its own: nobody waits long for a lock."""
    monkeypatch.setattr(retention, "BATCH", 2)
    forget()
    for _ in range(5):
        make_entry(ago=60 * 24 * 400)
    deleted = []
    monkeypatch.setattr(
        retention.time, "sleep", lambda _: deleted.append(AuditEntry.objects.count())
    )
    results = {each.name: each.rows for each in retention.run()}
    assert results["audit log"] == 5
    assert deleted == [3, 1]


def test_stops_between_batches(alice, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    forget()
    for _ in range(5):
        make_entry(ago=60 * 24 * 400)
    retention.run(stopped=lambda: AuditEntry.objects.count() <= 3)
    assert AuditEntry.objects.count() == 3


@pytest.fixture
def due(db):
    counters.clear()


def test_one_process_an_hour(due, monkeypatch):
    runs = []
    monkeypatch.setattr(retention, "run", lambda **_: runs.append(1) or [])
    for _ in range(3):
        retention.run_hourly(lambda: False)
    assert runs == [1]


def test_a_database_that_is_away_ends_nobody(due, monkeypatch, caplog):
    def fail(**_):
        raise OperationalError("gone")

    monkeypatch.setattr(retention, "run", fail)
    retention.run_hourly(lambda: False)
    assert "goes on in an hour" in caplog.text


def test_the_worker_asks_once_a_minute_and_never_waits(monkeypatch):
    """In a thread: its event loop goes on."""

    class Loop:
        now = 0.0

        def time(self):
            return self.now

    class Stopped:
        def is_set(self):
            return False

    asked = []
    monkeypatch.setattr(engine.threading, "Thread", lambda **given: asked.append(given) or Thread())

    class Thread:
        def start(self):
            pass

    worker = engine.Worker(concurrency=1, lease=1.0)
    worker._loop, worker._stopped, worker._clean_up_at = Loop(), Stopped(), 60.0
    for second in range(0, 200, 5):
        worker._loop.now = float(second)
        worker._clean_up()
    assert len(asked) == 3
    assert all(given["target"] == retention.run_hourly and given["daemon"] for given in asked)
