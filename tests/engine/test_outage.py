"""A worker outlives its database's absence."""

import asyncio

import pytest
from django.db import OperationalError, connection

from observability import metrics
from observability.models import ErrorGroup
from tests.engine.support import Script, check_truth, completion, work
from tests.factories import make_execution, make_workflow
from workflows.engine import wake
from workflows.engine import worker as worker_module
from workflows.engine.writer import Writer

pytestmark = pytest.mark.django_db(transaction=True)


def test_terminated_connections(alice, is_postgres, dispatcher, settings, monkeypatch):
    """Every connection of the worker is ended by the server while a call is in flight.

    What it ran is not renewed together with what it claims afterwards.
    """
    if not is_postgres:
        pytest.skip("SQLite has no server that could end a connection.")
    settings.LEASE_SECONDS = 600  # what it ran it hands back itself when it is back
    monkeypatch.setattr(worker_module, "RECONNECT_SECONDS", (0.05,))
    execution = make_execution(make_workflow(alice))

    def terminate():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND application_name = %s",
                [wake.APPLICATION_NAME],
            )
        connection.close()

    async def cut():
        await asyncio.to_thread(terminate)
        return completion("lost")

    script = Script(gather=[cut])
    work(script)

    check_truth(execution)
    assert execution.status == "completed"
    assert script.calls == {"gather": 2, "report": 1}


def test_a_wrong_statement_ends_the_worker(alice, monkeypatch):
    """What is no outage must not be tried for ever."""
    from workflows.engine.store import PostgresStore, SqliteStore

    def broken(self, batch):
        raise ValueError("a bug")

    for store in (SqliteStore, PostgresStore):
        monkeypatch.setattr(store, "apply", broken)
    make_execution(make_workflow(alice))

    with pytest.raises(ValueError, match="a bug"):
        work()


def test_an_outage_is_one_critical_error(alice, monkeypatch):
    """Of which administrators are told when the database is back, however long it was away."""
    monkeypatch.setattr(worker_module, "RECONNECT_SECONDS", (0.01,))
    execution = make_execution(make_workflow(alice))
    left = [3, 2, 1]
    write = Writer._round

    def away(self, store):
        if left:
            raise OperationalError(f"away, {left.pop()}")
        return write(self, store)

    monkeypatch.setattr(Writer, "_round", away)

    work(Script())
    metrics.flush()

    check_truth(execution)
    assert execution.status == "completed"
    assert not left
    group = ErrorGroup.objects.get()
    assert (group.severity, group.count) == ("critical", 1)
