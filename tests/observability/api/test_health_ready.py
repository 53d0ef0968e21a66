"""`GET /api/health/ready`."""

from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder

URL = "/api/health/ready"


def test_it_is_ready_without_workers(client, db, django_assert_num_queries):
    """What a worker does is not this process's affair."""
    with django_assert_num_queries(2):
        response = client.get(URL)
        client.get(URL)
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert response.json()["status"] == "ready"
    assert response.json()["database"]["pending_migrations"] == 0


def test_a_newer_release_has_migrated(client, db):
    MigrationRecorder(connection).record_applied("workflows", "9999_of_tomorrow")
    assert client.get(URL).status_code == 200


def test_pending_migrations(client, db):
    MigrationRecorder(connection).record_unapplied("sessions", "0001_initial")
    response = client.get(URL)
    assert response.status_code == 503
    assert response.json()["status"] == "not_ready"
    assert response.json()["database"]["pending_migrations"] == 1


def test_no_database(client, db, monkeypatch):
    def broken(_self):
        raise DatabaseError("connection to 10.0.0.5 refused")

    monkeypatch.setattr(MigrationRecorder, "has_table", broken)
    response = client.get(URL)
    assert response.status_code == 503
    assert response.json()["database"]["status"] == "unhealthy"
    assert "10.0.0.5" not in response.text
