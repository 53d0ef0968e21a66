"""A new execution starts without waiting for the poll."""

import asyncio
import threading

import pytest

from tests.engine.support import Script, UntilIdle, check_truth, unbounded
from tests.engine.support import run as run_worker
from tests.factories import make_execution, make_workflow
from workflows.engine import wake
from workflows.engine import worker as worker_module

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_new_execution_wakes_an_idle_worker(alice, monkeypatch):
    monkeypatch.setattr(worker_module, "POLL_SECONDS", 3600.0)
    workflow = make_workflow(alice)
    made = []

    class Idle(UntilIdle):
        """Stops after the first execution only, and has one made once it is idle."""

        def on_claimed(self, claimed):
            if not claimed and not made:
                made.append(None)
                self._claiming = False
                threading.Thread(target=make).start()
            elif made[0] is not None:
                super().on_claimed(claimed)
            else:
                self._claiming = False
                super().on_claimed(claimed) if claimed else None

    def make():
        from django.db import connection

        made[0] = make_execution(workflow)
        connection.close()

    run_worker(Idle(complete=Script(), slot=unbounded))

    check_truth(made[0])
    assert made[0].status == "completed"


def test_a_dead_workers_socket_is_swept(alice, is_postgres):
    if is_postgres:
        pytest.skip("PostgreSQL wakes through NOTIFY.")
    from django.db import connection

    directory = wake.socket_directory(connection.settings_dict["NAME"])
    loop = asyncio.new_event_loop()
    listener = wake.DatagramListener(loop, lambda kind: None)
    loop.remove_reader(listener._socket.fileno())
    listener._socket.close()
    loop.close()
    assert len(list(directory.iterdir())) == 1

    make_execution(make_workflow(alice))

    assert not list(directory.iterdir())
