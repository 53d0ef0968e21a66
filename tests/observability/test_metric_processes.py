"""Several processes that record at once, some of which are killed."""

import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from observability import rollup, series
from observability.models import MetricBucket
from tests.processes import PATIENCE, environment

EACH = 20
ROUNDS = 15


@pytest.fixture
def start():
    """`start(NAME, ROUNDS)` is a process that waits for a line."""
    started = []

    def begin(name, rounds=ROUNDS):
        command = [sys.executable, "-m", "tests.observability.recording"]
        process = subprocess.Popen(
            [*command, name, str(rounds), str(EACH)],
            cwd=settings.BASE_DIR,
            env=environment(DJANGO_SETTINGS_MODULE="hummbl.settings"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def go(*processes):
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()


def read(name, **tags):
    """Everything of the last hours."""
    now = timezone.now()
    return series.total(name, now - timedelta(hours=3), now + timedelta(hours=3), tags=tags)


@pytest.mark.slow
def test_totals_are_exact_whoever_is_killed(transactional_db, start):
    """Others write on, two roll up what is just being written, and one is killed in the midst."""
    steady = [start(name) for name in ("ann", "ben")]
    killed = start("eve", rounds=0)
    rolling = [start("roll"), start("roll")]
    go(*steady, killed, *rolling)
    said = 0
    while said < 5 * EACH:
        said = int(killed.stdout.readline())
    killed.kill()
    said = max([said, *map(int, killed.stdout.read().split())])
    for process in steady:
        process.stdout.read()
        assert process.wait(PATIENCE) == 0
    rolling[0].kill()
    rolling[1].terminate()
    for process in rolling:
        process.wait(PATIENCE)

    rollup.roll_up()

    for name in ("ann", "ben"):
        assert read("wait", who=name).count == read("wait", who=name).sum == ROUNDS * EACH
        assert read("wait", who=name, route="/3").count == ROUNDS * EACH // 5
    # What it had written, and perhaps what it was just writing.
    lost = read("wait", who="eve").count
    assert lost in {said, said + EACH}
    assert read("wait.together").count == 2 * ROUNDS * EACH + lost
    for resolution in (3600, 86400, 0):
        rows = MetricBucket.objects.filter(series__name="wait.together", resolution=resolution)
        assert sum(row.count for row in rows) == 2 * ROUNDS * EACH + lost
        assert sum(row.sum for row in rows) == 2 * ROUNDS * EACH + lost


@pytest.mark.slow
@pytest.mark.parametrize("ended_by", ["SIGTERM", "itself"])
def test_a_command_writes_when_it_ends(transactional_db, ended_by):
    sample = (
        'from observability import metrics; metrics.record("wait", 1); print("done", flush=True)'
    )
    code = f"{sample}; import time; time.sleep({60 * (ended_by == 'SIGTERM')})"
    command = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", code],
        cwd=settings.BASE_DIR,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert command.stdout.readline() == "done\n"
    if ended_by == "SIGTERM":
        command.terminate()
    assert command.wait(PATIENCE) == {"SIGTERM": 143, "itself": 0}[ended_by]
    command.communicate()
    assert read("wait").count == 1
