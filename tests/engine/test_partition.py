"""A machine that loses its network loses its work to the others, and comes back to do more."""

import subprocess
import sys
from contextlib import ExitStack, contextmanager

import environ
import pytest
from django.conf import settings as django_settings
from django.db import connection, connections

from tests import cluster, network
from tests.engine.fleet import check_nothing_ran_twice, completed, held_by, make_chain
from tests.engine.support import check_truth
from tests.factories import make_execution, make_user
from tests.llmock import running as running_llmock
from tests.processes import PATIENCE, environment, wait_for
from workflows.models import Execution, Worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

EXECUTIONS = 12
LEASE_SECONDS = 2
# In a dead network a connection is given up after two seconds instead of ten.
IMPATIENT = {"tcp_user_timeout": 2000, "connect_timeout": 2}
PATIENT = {"tcp_user_timeout": 60_000}


@contextmanager
def database_at(url: str, options: dict[str, int]):
    """Everything of this test, and the processes it starts, uses another server."""
    shared = connections.settings["default"]
    before = dict(shared), dict(shared["OPTIONS"])
    leave(shared)
    shared.update(environ.Env.db_url_config(url))
    shared["OPTIONS"] = before[1] | options
    try:
        yield
    finally:
        leave(shared)
        shared.update(before[0], OPTIONS=before[1])


def leave(database) -> None:
    connection.close()
    connection.close_pool()
    assert connection.settings_dict is database


@contextmanager
def worker(machine, log, **extra: str):
    """A worker process on a machine. Its log goes into a file."""
    command = machine.command([sys.executable, "manage.py", "worker"])
    variables = environment(LEASE_SECONDS=str(LEASE_SECONDS), **extra)
    with log.open("w") as file:
        process = subprocess.Popen(
            command, cwd=django_settings.BASE_DIR, env=variables, stdout=file, stderr=file
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


@pytest.mark.parametrize(
    ("dispatcher", "options"),
    [("database", PATIENT), ("procrastinate", IMPATIENT)],
    ids=["database-healed-before-it-notices", "procrastinate-healed-after"],
)
def test_one_of_three_machines_loses_its_network(
    dispatcher, options, is_postgres, settings, tmp_path, empty_queue
):
    if not is_postgres:
        pytest.skip("SQLite is at home on one machine.")
    if reason := network.available() or cluster.available():
        pytest.skip(reason)
    settings.EXECUTION_DISPATCHER = dispatcher
    with ExitStack() as stack:
        machines = [stack.enter_context(network.machine(f"m{number}")) for number in range(3)]
        host = machines[0].host_address
        settings.ALLOWED_PRIVATE_HOSTS = [host]
        server = stack.enter_context(cluster.cluster(host))
        llmock = stack.enter_context(running_llmock(host))
        stack.enter_context(database_at(server.url, options))
        manage("migrate", "--verbosity=0")
        chain = make_chain(make_user("carol@example.com"), llmock)
        llmock.delay(0.4, times=None)
        logs = [tmp_path / f"{machine.name}.log" for machine in machines]
        extra = {"ALLOWED_PRIVATE_HOSTS": host, "WORKER_CONCURRENCY": "10"}
        workers = [
            stack.enter_context(worker(machine, log, **extra))
            for machine, log in zip(machines, logs, strict=True)
        ]
        wait_for(lambda: Worker.objects.alive().count() == 3, what="all three are ready")
        executions = [make_execution(chain, input={"run": f"run-{n}"}) for n in range(EXECUTIONS)]
        at_work = wait_for(lambda: [n for n in range(3) if held_by(workers[n].pid)])
        lost = at_work[0]

        machines[lost].cut()
        wait_for(lambda: not Execution.objects.under_way().exists(), what="the others do it all")
        before = {name: (t.output, t.completed_at, t.attempts) for name, t in completed().items()}
        if options is IMPATIENT:
            wait_for(lambda: "does not answer" in logs[lost].read_text(), what="it notices")
        machines[lost].heal()
        for number in {0, 1, 2} - {lost}:
            workers[number].terminate()
            assert workers[number].wait(PATIENCE) == 0
        later = make_execution(chain, input={"run": f"run-{EXECUTIONS}"})
        wait_for(lambda: not Execution.objects.under_way().exists(), what="it goes on working")

        assert workers[lost].poll() is None
        for execution in (*executions, later):
            check_truth(execution)
            assert execution.status == "completed"
        after = completed()
        for name, task in before.items():
            assert task == (after[name].output, after[name].completed_at, after[name].attempts)
        check_nothing_ran_twice(llmock)


def manage(*arguments: str) -> None:
    command = [sys.executable, "manage.py", *arguments]
    subprocess.run(command, cwd=django_settings.BASE_DIR, env=environment(), check=True)
