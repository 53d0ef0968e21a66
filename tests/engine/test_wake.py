"""A new execution starts without waiting for the poll."""

import asyncio
import threading

import pytest
from django.db import connection

from tests.engine.support import Script, UntilIdle, check_truth, unbounded
from tests.engine.support import run as run_worker
from tests.factories import make_execution, make_workflow
from tests.processes import wait_for
from workflows.engine import wake
from workflows.engine import worker as worker_module
from workflows.engine.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_new_execution_wakes_an_idle_worker(alice, monkeypatch, dispatcher, listening):
    monkeypatch.setattr(worker_module, "POLL_SECONDS", 3600.0)
    monkeypatch.setattr("workflows.engine.dispatchers.procrastinate.FETCH_SECONDS", 3600.0)
    workflow = make_workflow(alice)
    made = []

    def make():
        wait_for(listening, what="the worker listens")
        made.append(make_execution(workflow))
        connection.close()

    maker = threading.Thread(target=make)

    class Idle(UntilIdle):
        """Has an execution made once it is idle, and stops when that has ended."""

        def _poll(self):
            Worker._poll(self)
            maker.start()

    run_worker(Idle(complete=Script(), slot=unbounded))

    maker.join()
    check_truth(made[0])
    assert made[0].status == "completed"


@pytest.fixture
def listening(is_postgres, dispatcher):
    """Tells whether the worker would hear of a new execution."""
    heard_by = {"database": f"LISTEN {wake.CHANNEL}", "procrastinate": 'LISTEN "procrastinate%'}

    def answer() -> bool:
        if not is_postgres:
            return bool(list(wake.socket_directory(connection.settings_dict["NAME"]).iterdir()))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() "
                "AND state = 'idle' AND query LIKE %s",
                [heard_by[dispatcher]],
            )
            return cursor.fetchone() is not None

    return answer


def test_a_dead_workers_socket_is_swept(alice, is_postgres):
    if is_postgres:
        pytest.skip("PostgreSQL wakes through NOTIFY.")
    directory = wake.socket_directory(connection.settings_dict["NAME"])
    loop = asyncio.new_event_loop()
    listener = wake.DatagramListener(loop, lambda kind: None)
    loop.remove_reader(listener._socket.fileno())
    listener._socket.close()
    loop.close()
    assert len(list(directory.iterdir())) == 1

    make_execution(make_workflow(alice))

    assert not list(directory.iterdir())
