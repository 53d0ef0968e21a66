"""One soak in a process of its own, which prints what came of it as JSON in its last line."""

import json
import logging
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command

from benchmarks.databases import environment
from soak import places, plan
from tests import llmock

MEGABYTES = 48
MEGABYTES_EACH = 0.1  # for each execution, with all that belongs to it


def perform(
    folder: Path,
    database: str,
    dispatcher: str,
    seed: int,
    executions: int,
    seconds: float,
    only: list[str] | None,
) -> dict[str, Any]:
    """Prepare the place, let it happen, and tell."""
    made = plan.make(seed, executions=executions, seconds=seconds, only=set(only or plan.CHAOS))
    with ExitStack() as stack:
        room = int(MEGABYTES + MEGABYTES_EACH * executions)
        place = stack.enter_context(places.opened(database, folder, room))
        os.environ.update(environment(place.url, folder))
        os.environ.update(
            EXECUTION_DISPATCHER=dispatcher,
            LEASE_SECONDS=str(plan.LEASE_SECONDS),
            WORKER_CONCURRENCY="25",
            ALLOWED_PRIVATE_HOSTS=place.host,
        )
        django.setup()
        logging.getLogger("soak").setLevel(logging.INFO)
        call_command("migrate", verbosity=0)
        provider = stack.enter_context(llmock.running(place.host))
        from soak.stage import Stage  # only now is there a database to have models of

        return Stage(place, provider, folder, dict(os.environ)).perform(made)


if __name__ == "__main__":
    arguments: dict[str, Any] = json.loads(sys.argv[1])
    folder = Path(arguments.pop("folder"))
    print(json.dumps(perform(folder, **arguments)))
