"""manage.py cleanup, and the same by the worker once an hour."""

import io
import logging
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.sessions.models import Session as DjangoSession
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from accounts.models import AccessToken, AuditEntry, Session
from hummbl import duties, retention
from hummbl.models import CleanUp
from tests.accounts.entries import forget, make_entry
from workflows.engine import worker as engine


def run(**options):
    out = io.StringIO()
    call_command("cleanup", stdout=out, **options)
    return out.getvalue()


def numbers(said):
    """The second column of the table, by the first, where it is not 0."""
    lines = [line.split("  ", 1) for line in said.splitlines()[1:] if "  " in line]
    rows = {name: int(rest.split()[0]) for name, rest in lines}
    return {name: number for name, number in rows.items() if number}


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
    assert numbers(run()) == {}


def test_tables_that_are_behind_keep_everything(world):
    MigrationRecorder(connection).record_unapplied("hummbl", "0002_last_clean_up")
    for options in ({}, {"dry_run": True}):
        with pytest.raises(CommandError, match=r"manage\.py migrate"):
            run(**options)
    assert Session.objects.count() == 3


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


def test_how_long_a_session_is_kept_after_its_end(world, alice, settings):
    settings.RETENTION_SESSIONS = 1
    make_session(alice, expires_at=timezone.now() - timedelta(hours=25))
    said = run()
    assert numbers(said)["sessions"] == 1
    assert "for longer than RETENTION_SESSIONS, 1 day" in said


def test_the_history_of_the_admin_goes_with_the_audit_log(alice):
    LogEntry.objects.log_actions(alice.pk, [alice, alice], CHANGE)
    first = LogEntry.objects.first()
    LogEntry.objects.filter(pk=first.pk).update(action_time=timezone.now() - timedelta(days=366))
    assert numbers(run()) == {"admin history": 1}
    assert LogEntry.objects.count() == 1


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
def broken(monkeypatch):
    """A rule that fails after its first batch, before those that follow."""
    batches = iter([retention.Deleted(2, more=True)])

    def delete(limit):
        batch = next(batches, None)
        if batch is None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT * FROM no_such_table")
        return batch

    rule = retention.Rule("broken", lambda: "never", lambda: 0, delete)
    monkeypatch.setattr(retention, "_rules", {"broken": rule, **retention._rules})


def test_a_rule_that_fails_keeps_no_other_from_being_followed(world, broken, caplog):
    out = io.StringIO()
    with pytest.raises(CommandError, match=r"broken: .*no_such_table"):
        call_command("cleanup", stdout=out)
    assert numbers(out.getvalue()) == {"broken": 2, **EXPIRED}
    assert "Cleaning up failed: broken" in caplog.text
    assert "The database is" in out.getvalue()
    assert CleanUp.objects.get().deleted["sessions"] == 1


def hourly():
    retention._hourly(lambda: False)


def test_hourly_it_says_what_went(world, caplog):
    with caplog.at_level(logging.INFO, logger="hummbl.retention"):
        hourly()
    assert "Deleted 1 expired rows: sessions" in caplog.text
    assert "The database is" in caplog.text


def test_a_clock_that_leaps_ahead_costs_nothing_for_an_hour(world, monkeypatch, caplog):
    """Machines that wake up in the wrong year are put right by then."""
    now = timezone.now()
    hourly()
    before = Session.objects.count(), AuditEntry.objects.count()

    def at(moment):
        monkeypatch.setattr("django.utils.timezone.now", lambda: moment)

    at(now + timedelta(days=400))
    hourly()
    assert (Session.objects.count(), AuditEntry.objects.count()) == before
    assert "by this machine's clock" in caplog.text
    at(now)  # it was put right
    hourly()
    assert (Session.objects.count(), AuditEntry.objects.count()) == before
    at(now + timedelta(days=400))
    hourly()
    at(now + timedelta(days=400, hours=1))
    hourly()
    assert Session.objects.count() == AuditEntry.objects.count() == 0


def test_a_database_that_is_away_ends_nobody(monkeypatch, caplog, transactional_db):
    def fail(**_):
        raise OperationalError("gone")

    monkeypatch.setattr(retention, "clean_up", fail)
    retention.install()
    duties.run_due(slow=True)
    assert "cleanup failed; it is tried again in 3600 s" in caplog.text


def test_the_worker_leaves_it_alone_in_its_first_minute_and_never_waits(monkeypatch):
    """In a thread: its event loop goes on, and so do the other duties."""
    retention.install()
    duties.register("look", lambda: None)
    started = []

    class Thread:
        def __init__(self, target, kwargs, daemon):
            assert target == duties.run_due
            assert daemon
            self.slow = kwargs["slow"]

        def start(self):
            started.append((worker._loop.now, self.slow))

        def is_alive(self):
            return self.slow

    class Loop:
        now = 0.0

        def time(self):
            return self.now

    class Stopped:
        def is_set(self):
            return False

    monkeypatch.setattr(engine.threading, "Thread", Thread)
    worker = engine.Worker(concurrency=1, lease=1.0)
    monkeypatch.setattr(worker, "_dispatcher", SimpleNamespace(poll=lambda: None), raising=False)
    worker._loop, worker._stopped, worker._settled_at = Loop(), Stopped(), 60.0
    for second in (0, 59, 60, 61):
        worker._loop.now = float(second)
        worker._poll()
    assert started == [(0, False), (59, False), (60, False), (60, True), (61, False)]
