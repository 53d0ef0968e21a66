"""Worker processes share the work, hand it over, and may be under different dispatchers."""

import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.engine.fleet import check_nothing_ran_twice, held_by
from tests.engine.support import check_truth
from tests.factories import make_execution
from tests.processes import PATIENCE, wait_for, worker
from workflows.models import Execution, Worker

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux tells"),
]

# Nothing in these tests can be explained by a lease that ran out.
LONG_LEASE = {"LEASE_SECONDS": "600"}
EXECUTIONS = 8
HALF = EXECUTIONS // 2


def start(workflow, first: int) -> list[Execution]:
    numbers = range(first, first + EXECUTIONS)
    return [make_execution(workflow, input={"run": f"run-{n}"}) for n in numbers]


def hang(llmock) -> None:
    """No call is answered that comes before llmock's next reset."""
    llmock.delay(3600, times=None)


def calls_in_flight(llmock) -> int:
    """Established connections to llmock, which tells of a request only once it is over."""
    port = int(llmock.url.rpartition(":")[2])
    lines = Path("/proc/net/tcp").read_text().splitlines()
    return sum(line.split()[2].endswith(f":{port:04X}") and " 01 " in line for line in lines)


def check(executions: list[Execution], llmock) -> None:
    for execution in executions:
        check_truth(execution)
        assert execution.status == "completed"
    check_nothing_ran_twice(llmock)


def test_sigterm_hands_over_at_once(chain, llmock, dispatcher):
    hang(llmock)
    with ExitStack() as stack:
        first = stack.enter_context(worker(**LONG_LEASE))
        wait_for(lambda: Worker.objects.alive().count() == 1, what="the first is ready")
        executions = start(chain, 0)
        wait_for(lambda: held_by(first.pid) == EXECUTIONS, what="the first has them all")
        wait_for(lambda: calls_in_flight(llmock) == EXECUTIONS, what="their calls are in flight")
        stack.enter_context(worker(**LONG_LEASE))
        wait_for(lambda: Worker.objects.alive().count() == 2, what="the second is ready")

        llmock.reset()
        first.send_signal(signal.SIGTERM)
        assert first.wait(PATIENCE) == 0
        wait_for(lambda: not Execution.objects.under_way().exists(), what="all have ended")

    check(executions, llmock)


@pytest.mark.parametrize(
    ("before", "after"), [("database", "procrastinate"), ("procrastinate", "database")]
)
def test_executions_survive_a_change_of_the_dispatcher(
    chain, llmock, settings, is_postgres, empty_queue, before, after
):
    """The new worker comes, works beside the old one, and stays alone."""
    if not is_postgres:
        pytest.skip("Procrastinate needs PostgreSQL.")
    hang(llmock)
    with ExitStack() as stack:
        settings.EXECUTION_DISPATCHER = before
        old = stack.enter_context(worker(**LONG_LEASE, WORKER_CONCURRENCY=str(HALF)))
        wait_for(lambda: Worker.objects.alive().count() == 1, what="the old worker is ready")
        executions = start(chain, 0)
        wait_for(lambda: held_by(old.pid) == HALF, what="the old worker has half of them")
        wait_for(lambda: calls_in_flight(llmock) == HALF, what="their calls are in flight")

        llmock.reset()
        settings.EXECUTION_DISPATCHER = after
        executions += start(chain, EXECUTIONS)
        new = stack.enter_context(worker(**LONG_LEASE))
        wait_for(
            lambda: Execution.objects.under_way().count() == HALF,
            what="the new worker has done what both dispatchers had waiting",
        )
        assert held_by(old.pid)
        old.send_signal(signal.SIGTERM)
        assert old.wait(PATIENCE) == 0
        wait_for(lambda: not Execution.objects.under_way().exists(), what="all have ended")
        assert new.poll() is None

    check(executions, llmock)
