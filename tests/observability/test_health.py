import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder

from observability import health

URL = "/api/health"


@pytest.fixture
def worker(monkeypatch):
    """`worker("missing")` makes the worker's check say so."""
    checks = dict(health._checks)
    monkeypatch.setattr(health, "_checks", checks)

    def report(status, **details):
        health.register("worker", lambda: {"status": status, **details})

    report("healthy")
    return report


def test_all_is_well(client, db, worker):
    response = client.get(URL)
    body = response.json()
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert body.keys() == {"service", "version", "status", "database", "worker", "timestamp"}
    assert (body["service"], body["status"]) == ("hummbl", "operational")
    assert body["database"].keys() == {"status", "schema_version", "pending_migrations"}
    assert body["database"]["status"] == "healthy"
    assert body["database"]["pending_migrations"] == 0
    assert "." in body["database"]["schema_version"]
    assert body["timestamp"].endswith("Z")


def test_no_worker_is_degraded(client, db, worker):
    worker("missing")
    response = client.get(URL)
    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    assert response.json()["worker"] == {"status": "missing"}


def test_a_worker_that_nobody_checks_is_unknown(client, db, monkeypatch):
    monkeypatch.setattr(health, "_checks", {"worker": lambda: {"status": health.UNKNOWN}})
    assert client.get(URL).json()["worker"] == {"status": "unknown"}


def test_pending_migrations_are_counted(client, db, worker):
    MigrationRecorder(connection).record_unapplied("sessions", "0001_initial")
    body = client.get(URL).json()
    assert body["status"] == "degraded"
    assert body["database"]["pending_migrations"] == 1


def test_without_a_database_it_is_down(client, db, worker, monkeypatch):
    def broken(_self):
        raise DatabaseError("connection to 10.0.0.5 refused for user hummbl")

    monkeypatch.setattr(MigrationRecorder, "has_table", broken)
    response = client.get(URL)
    assert response.status_code == 503
    assert response.json()["status"] == "down"
    assert response.json()["database"] == {
        "status": "unhealthy",
        "schema_version": None,
        "pending_migrations": None,
    }
    assert "10.0.0.5" not in response.text


def test_a_check_without_its_table_is_unknown(client, db, worker):
    def missing():
        raise DatabaseError("no such table")

    health.register("worker", missing)
    assert client.get(URL).json()["worker"] == {"status": "unknown"}


def test_it_is_unlimited_and_needs_no_sign_in(client, db, worker, settings):
    settings.RATE_LIMIT_API = "1/m"
    assert {client.get(URL).status_code for _ in range(5)} == {200}


def test_a_forged_token_does_not_matter(client, db, worker):
    assert client.get(URL, headers={"Authorization": "Bearer forged"}).status_code == 200


def test_it_is_cheap(client, db, worker, django_assert_max_num_queries):
    client.get(URL)
    with django_assert_max_num_queries(2):
        client.get(URL)


def test_it_only_reads(client, db, worker):
    assert client.post(URL).status_code == 405


@pytest.mark.parametrize("command", ["showmigrations"])
def test_the_readme_s_status_command_works(db, capsys, command):
    call_command(command)
    assert "[X] 0001_initial" in capsys.readouterr().out
