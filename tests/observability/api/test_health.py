"""`GET /api/health`, and what each of its checks says."""

import uuid
from collections import namedtuple
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from hummbl import encryption
from observability import health, health_checks
from tests.factories import make_execution, make_key, make_workflow
from workflows.models import Execution, ExecutionStatus, Worker

URL = "/api/health"
CHECKS = {"worker", "queue", "disk", "encryption"}
Usage = namedtuple("Usage", ["total", "used", "free"])
GIGABYTE = 1024**3


@pytest.fixture
def worker(db):
    """A worker that was just heard of."""
    return Worker.objects.create(
        name="one", version="1", executions=3, seen_at=timezone.now() + timedelta(seconds=10)
    )


@pytest.fixture
def checks(monkeypatch):
    """Checks that a test registers go with it."""
    monkeypatch.setattr(health, "_checks", dict(health._checks))


@pytest.fixture
def broken(monkeypatch):
    """The database does not answer, and its error says where it is."""

    def fail(_self):
        raise DatabaseError("connection to 10.0.0.5 refused for user hummbl")

    monkeypatch.setattr(MigrationRecorder, "has_table", fail)


def test_all_is_well(client, worker):
    response = client.get(URL)
    body = response.json()
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert body.keys() == {"service", "version", "status", "database", "timestamp"} | CHECKS
    assert (body["service"], body["status"]) == ("hummbl", "operational")
    assert body["database"].keys() == {
        "status",
        "schema_version",
        "applied_migrations",
        "pending_migrations",
    }
    assert body["database"]["status"] == "healthy"
    assert body["database"]["pending_migrations"] == 0
    assert body["database"]["applied_migrations"] == MigrationRecorder.Migration.objects.count()
    assert "." in body["database"]["schema_version"]
    assert body["worker"] == {"status": "healthy", "alive": 1, "executions": 3}
    assert body["queue"] == {"status": "healthy", "waiting": 0, "lag": 0.0}
    assert body["encryption"] == {"status": "healthy", "unreadable": 0}
    assert 0 < body["disk"]["free"] <= 1
    assert body["timestamp"].endswith("Z")


def test_no_worker_is_degraded(client, db):
    response = client.get(URL)
    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    assert response.json()["worker"] == {"status": "missing", "alive": 0, "executions": 0}


def test_a_check_that_nobody_registered_is_unknown(client, db, checks):
    health.register("worker", health._unchecked)
    assert client.get(URL).json()["worker"] == {"status": "unknown"}


def test_pending_migrations_are_counted(client, worker):
    MigrationRecorder(connection).record_unapplied("sessions", "0001_initial")
    body = client.get(URL).json()
    assert body["status"] == "degraded"
    assert body["database"]["pending_migrations"] == 1


def test_without_a_database_it_is_down(client, worker, broken):
    response = client.get(URL)
    body = response.json()
    assert response.status_code == 503
    assert body["status"] == "down"
    assert body["database"] == {
        "status": "unhealthy",
        "schema_version": None,
        "applied_migrations": None,
        "pending_migrations": None,
    }
    assert all(body[name] == {"status": "unknown"} for name in CHECKS)
    assert "10.0.0.5" not in response.text


def test_a_check_without_its_table_is_unknown(client, db, checks):
    def missing():
        raise DatabaseError("no such table")

    health.register("worker", missing)
    assert client.get(URL).json()["worker"] == {"status": "unknown"}


@pytest.mark.parametrize(("seconds", "status"), [(30, "healthy"), (90, "behind")])
def test_how_long_the_oldest_execution_has_waited(client, worker, alice, seconds, status):
    workflow = make_workflow(alice)
    waiting = [make_execution(workflow) for _ in range(2)]
    running = make_execution(workflow)
    long_ago = timezone.now() - timedelta(seconds=seconds)
    Execution.objects.filter(pk=waiting[0].pk).update(created_at=long_ago)
    Execution.objects.filter(pk=running.pk).update(
        status=ExecutionStatus.RUNNING, started_at=long_ago, created_at=long_ago - timedelta(days=1)
    )
    body = client.get(URL).json()
    assert (body["queue"]["status"], body["queue"]["waiting"]) == (status, 2)
    assert seconds <= body["queue"]["lag"] < seconds + 20
    assert body["status"] == ("operational" if status == "healthy" else "degraded")


@pytest.mark.parametrize(
    ("total", "free", "status"), [(100, 6, "healthy"), (20, 4, "healthy"), (100, 4, "low")]
)
def test_the_room_on_the_disk(client, worker, monkeypatch, total, free, status):
    usage = Usage(total * GIGABYTE, (total - free) * GIGABYTE, free * GIGABYTE)
    monkeypatch.setattr(health_checks.shutil, "disk_usage", lambda _path: usage)
    assert client.get(URL).json()["disk"] == {"status": status, "free": free / total}


def test_secrets_whose_key_is_gone(client, worker, alice, bob, settings):
    make_key(alice)
    old, new = settings.ENCRYPTION_KEYS[0], encryption.generate_key()
    settings.ENCRYPTION_KEYS = [new, old]
    make_key(bob)
    assert health_checks.secrets() == {"status": "healthy", "unreadable": 0}

    settings.ENCRYPTION_KEYS = [new]
    response = client.get(URL)
    assert response.json()["status"] == "degraded"
    assert response.json()["encryption"] == {"status": "unreadable", "unreadable": 1}


def test_keys_that_are_no_keys(client, worker, settings):
    settings.ENCRYPTION_KEYS = ["canary"]
    response = client.get(URL)
    assert response.json()["encryption"] == {"status": "unreadable", "unreadable": None}
    assert "canary" not in response.text


def test_it_says_nothing_of_the_inside(client, worker, settings):
    text = client.get(URL).text
    assert str(settings.DATA_DIR) not in text
    assert str(settings.DATABASES["default"]["NAME"]) not in text


def test_it_is_unlimited_and_needs_no_sign_in(client, db, limits):
    limits(API="1/m")
    assert {client.get(URL).status_code for _ in range(5)} == {200}


def test_a_forged_token_does_not_matter(client, db):
    assert client.get(URL, headers={"Authorization": "Bearer forged"}).status_code == 200


def test_it_is_cheap_however_many_ask(client, worker, django_assert_num_queries):
    encrypted = 3  # columns
    with django_assert_num_queries(2 + 1 + 1 + encrypted):
        assert {client.get(URL).json()["timestamp"] for _ in range(5)} != set()
    with django_assert_num_queries(0):
        client.get(URL)


def test_it_only_reads(client, db):
    assert client.post(URL).status_code == 405


def test_ids_of_keys_are_read_as_they_were_written(alice):
    """What the database cuts out of a secret is what `encryption` says of it."""
    key = make_key(alice)
    blob = encryption.encrypt("canary", associated=uuid.uuid4())
    assert health_checks._by_key() == [(encryption.key_id_of(key.ciphertext), 1)]
    assert encryption.key_id_of(blob) == encryption.key_ids()[0]
