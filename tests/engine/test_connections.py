"""A worker that has returned has left nothing behind: no thread, no task, no connection."""

import asyncio
import gc
import threading

import psycopg
import pytest
import uvloop
from django.conf import settings as django_settings
from django.db import connection

from tests.engine.support import Script, unbounded
from tests.factories import (
    make_agent,
    make_definition,
    make_execution,
    make_key,
    make_task,
    make_workflow,
)
from tests.processes import wait_for
from workflows.engine.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)

RUNS = 30
STEP = 0.005  # seconds; the first runs do nothing of their work, the last may do all


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    """On a busy machine too, a worker waits for its own to end."""
    for name in ("worker.HAND_OVER", "worker.CLOSE", "dispatchers.procrastinate.CLOSE"):
        monkeypatch.setattr(f"workflows.engine.{name}_SECONDS", 60.0)


@pytest.fixture(autouse=True)
def _forgotten_connections_stay():
    """The garbage collector would close them."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_a_worker_that_has_returned_has_no_connection(alice, dispatcher, is_postgres):
    """It is stopped at any moment of its start and of its work."""
    make_key(alice)
    agents = [make_agent(provider="openai", model="gpt-4.1-mini")]
    workflow = make_workflow(alice, definition=make_definition(make_task("one"), agents=agents))

    for number in range(RUNS):
        make_execution(workflow)
        left_over = run_for(number * STEP)
        assert left_over == [], f"after {number * STEP:.3f} s"

    if is_postgres:
        connection.close()
        connection.close_pool()
        wait_for(lambda: not sessions(), what="all connections are closed")


def run_for(seconds: float) -> list[str]:
    """Run a worker for so long; what goes on when it has returned."""

    async def stopped() -> list[str]:
        worker = Worker(complete=Script(), slot=unbounded)
        asyncio.get_running_loop().call_later(seconds, worker.stop)
        before = set(threading.enumerate())
        await worker.run()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        threads = set(threading.enumerate()) - before
        return [repr(task) for task in tasks] + [
            thread.name for thread in threads if thread.name.startswith("engine-")
        ]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(stopped())


def sessions() -> list[tuple[object, ...]]:
    """What anybody has open to the database of this test."""
    values = django_settings.DATABASES["default"]
    with psycopg.connect(
        host=values["HOST"],
        port=values["PORT"] or None,
        user=values["USER"],
        password=values["PASSWORD"] or None,
        dbname="postgres",
    ) as other:
        return other.execute(
            "SELECT pid, application_name, state, query FROM pg_stat_activity WHERE datname = %s",
            [connection.settings_dict["NAME"]],
        ).fetchall()
