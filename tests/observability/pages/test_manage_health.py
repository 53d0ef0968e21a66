"""/manage/health, whose figures are tested with `/api/health`."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from hummbl import encryption
from observability import health
from tests.factories import make_execution, make_key, make_workflow
from workflows.models import Execution, Worker

URL = "/manage/health"


def body(client, **headers):
    response = client.get(URL, **headers)
    assert response.status_code == 200
    return response.content.decode()


def test_all_is_well(browse, adam):
    Worker.objects.create(
        name="one", version="1", executions=1, seen_at=timezone.now() + timedelta(seconds=10)
    )
    said = body(browse(adam))
    assert "Everything works" in said
    assert "1 worker is alive, with 1 execution under way." in said
    assert "Nothing waits for a worker." in said
    assert "None is pending." in said
    assert "The keys of all stored secrets are in force." in said
    assert " are free, " in said


def test_says_what_to_do(browse, adam, alice, settings):
    make_key(alice)
    make_execution(make_workflow(alice))
    Execution.objects.update(created_at=timezone.now() - timedelta(seconds=90))
    MigrationRecorder(connection).record_unapplied("sessions", "0001_initial")
    settings.ENCRYPTION_KEYS = [encryption.generate_key()]
    said = body(browse(adam))
    assert "Something needs a look" in said
    for advice in (
        "Start manage.py worker;",
        "Start more workers,",
        "Run manage.py migrate:",
        "Put the old one behind the first and restart",
    ):
        assert advice in said
    assert "1 execution waits for a worker, the oldest for 9" in said
    assert "1 of the stored secrets cannot be read." in said


def test_a_check_that_cannot_be_made(browse, adam, monkeypatch):
    def missing():
        raise DatabaseError("no such table")

    monkeypatch.setattr(health, "_checks", dict(health._checks))
    health.register("worker", missing)
    assert "It is read again once" in body(browse(adam))


def test_an_htmx_request_gets_the_checks_alone(browse, adam, fragment):
    said = body(browse(adam), **fragment)
    assert "<h1>" not in said
    assert 'id="health"' in said


def test_is_linked(browse, adam, alice):
    assert f'href="{URL}"' in browse(adam).get("/dashboard").content.decode()
    assert f'href="{URL}"' not in browse(alice).get("/dashboard").content.decode()


@pytest.mark.parametrize("who", ["alice", "vera"])
def test_other_roles_are_refused(browse, request, who):
    assert browse(request.getfixturevalue(who)).get(URL).status_code == 403


def test_strangers_sign_in_first(browse, db):
    assert browse().get(URL)["Location"] == f"/signin?next={URL}"
