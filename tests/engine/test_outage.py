"""A worker outlives its database's absence."""

import asyncio

import pytest
from django.db import connection

from tests.engine.support import Script, check_truth, completion, work
from tests.factories import make_execution, make_workflow
from workflows.engine import wake
from workflows.engine import worker as worker_module

pytestmark = pytest.mark.django_db(transaction=True)


def test_terminated_connections(alice, is_postgres, settings, monkeypatch):
    """Every connection of the worker is ended by the server while a call is in flight."""
    if not is_postgres:
        pytest.skip("SQLite has no server that could end a connection.")
    settings.LEASE_SECONDS = 0.5
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
