"""A database that runs for long: a million task results, retention meanwhile, how large and slow.

The real engine runs every task; executions are put into the tables in bulk, as in the other
measurements. After each round of them comes a clean-up, with settings so short that everything of
the rounds before has expired; what an operator waits months for happens within minutes.
"""

import statistics
import time
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Session
from benchmarks.engine import enqueue, make, owner
from benchmarks.figures import percentile
from benchmarks.processes import ScriptedWorker
from hummbl import retention, space
from tests.factories import make_diamond
from tests.signing_in import sign_in
from workflows.models import Execution, TaskResult, Workflow

TASKS = 10  # of an execution
SETTINGS = ("RETENTION_EXECUTIONS", "RETENTION_EVENTS", "RETENTION_SPEND")


def run(results: int, rounds: int, asks: int) -> dict[str, Any]:
    """Write so many task results in so many rounds, clean up after each, and look.

    `sizes`: bytes on disk (log included) before and after each clean-up; `ratio`: the last size
    after one to that after the first that had something to delete; `peak`: the same of the sizes
    before them. `pages`: milliseconds, p50 and p95 of `asks` requests of each page, with
    `results` / `rounds` results in the tables and at the end.
    """
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.RATE_LIMIT_PAGES = settings.RATE_LIMIT_API = ""
    workflow = make(make_diamond(TASKS - 2))
    count = results // rounds // TASKS
    assert count, "There are fewer results than executions."
    sizes: list[dict[str, Any]] = []
    pages = {}
    begun = time.monotonic()
    for number in range(1, rounds + 1):
        since = timezone.now()
        _work(workflow, count)
        before = space.measure()
        deleted = _clean_up(since)
        after = space.measure()
        sizes.append(
            {
                "seconds": time.monotonic() - begun,
                "written": number * count * TASKS,
                "kept": TaskResult.objects.count(),
                "deleted": deleted,
                "before": before.total,
                "after": after.total,
            }
        )
        if number in {1, rounds}:
            pages["first" if number == 1 else "last"] = _ask_pages(workflow, asks)
    # The first clean-up finds nothing that has expired; the second one begins the cycle.
    first, last = sizes[min(1, rounds - 1)], sizes[-1]
    return {
        "sizes": sizes,
        "pages": pages,
        "ratio": last["after"] / first["after"],
        "peak": max(size["before"] for size in sizes[1:] or sizes) / first["before"],
    }


def _work(workflow: Workflow, count: int) -> None:
    """Let the engine run that many executions."""
    enqueue(workflow, count)
    with ScriptedWorker("--until", count, "--concurrency", 200) as worker:
        worker.expect("done")
    assert not Execution.objects.under_way().exists(), "not everything has ended"


def _clean_up(since: datetime) -> int:
    """Delete what ended before, as `manage.py cleanup` does; how many rows."""
    now = timezone.now()
    for name in SETTINGS:
        setattr(settings, name, (now - since) / timedelta(days=1))
    # Else what has just ended would expire while what ended before is being deleted.
    with mock.patch.object(timezone, "now", return_value=now):
        rows = sum(result.rows for result in retention.run())
    space.give_back()
    if connection.vendor == "postgresql":
        # What autovacuum does within its minute, which a round here does not always take.
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")
    return rows


def _ask_pages(workflow: Workflow, asks: int) -> dict[str, dict[str, float]]:
    """Milliseconds of whole requests, middleware and templates included."""
    client = Client()
    sign_in(client, owner())
    _, token = Session.open(owner(), ip="127.0.0.1", user_agent="benchmark")
    execution = Execution.objects.latest("created_at")
    paths = {
        "/workflows": reverse("workflow_list"),
        "/executions": reverse("execution_list"),
        "/executions/{id}": reverse("execution_detail", args=[execution.pk]),
        "/workflows/{id}": reverse("workflow_detail", args=[workflow.pk]),
        "/api/executions": reverse("api_executions"),
    }
    return {
        name: _ask(
            client, path, asks, {"authorization": f"Bearer {token}"} if "api" in name else {}
        )
        for name, path in paths.items()
    }


def _ask(client: Client, path: str, asks: int, headers: dict[str, str]) -> dict[str, float]:
    waits = []
    for _ in range(asks + 1):
        begun = time.perf_counter()
        answer = client.get(path, headers=headers)
        waits.append(1000 * (time.perf_counter() - begun))
        assert answer.status_code == 200, f"{path} answered {answer.status_code}"
    waits = waits[1:]  # the first warms up
    return {"p50": statistics.median(waits), "p95": percentile(waits, 95)}
