"""A short soak on each database and under each dispatcher, with a seed of its own each time."""

import random
import subprocess
import sys

import pytest
from django.conf import settings

from soak import plan

pytestmark = pytest.mark.slow

STAGES = {"sqlite": ["database"], "postgresql": ["database", "procrastinate"]}


@pytest.mark.parametrize("dispatcher", ["database", "procrastinate"])
def test_nothing_is_lost(dispatcher, is_postgres):
    database = "postgresql" if is_postgres else "sqlite"
    if dispatcher not in STAGES[database]:
        pytest.skip("Procrastinate needs PostgreSQL.")
    seed = random.SystemRandom().randrange(1_000_000)
    command = [sys.executable, "-m", "soak", "--seed", str(seed), "--executions", "20"]
    command += ["--seconds", "5", "--database", database, "--dispatcher", dispatcher]
    soaked = subprocess.run(
        command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
    )
    assert soaked.returncode == 0, f"Seed {seed}\n{soaked.stdout}\n{soaked.stderr}"


def test_a_seed_always_plans_the_same():
    assert plan.make(7, executions=50, seconds=60) == plan.make(7, executions=50, seconds=60)
    assert plan.make(7, executions=50, seconds=60) != plan.make(8, executions=50, seconds=60)


def test_a_plan_has_every_kind_of_chaos_and_every_workflow():
    made = plan.make(7, executions=50, seconds=60)
    assert {act.kind for act in made.acts} == set(plan.CHAOS)
    assert {start.shape for start in made.starts} == set(plan.SHAPES)
    only = plan.make(7, executions=50, seconds=60, only={"kill"})
    assert only.acts == [act for act in made.acts if act.kind == "kill"]
    assert only.starts == made.starts
