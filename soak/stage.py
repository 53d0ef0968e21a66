"""One soak on one database under one dispatcher: the storm, the calm after it, the verdict."""

import json
import re
import time
from collections import Counter
from pathlib import Path
from threading import Thread
from typing import Any

from django.db import Error as DatabaseError
from django.db import connection
from django.db.models import F

from soak import plan as plans
from soak.chaos import Chaos
from soak.clients import Clients
from soak.evidence import read
from soak.fleet import Fleet
from soak.places import Place
from soak.shapes import documents
from soak.verdict import Receipt, Violation, judge
from tests.factories import make_key, make_user
from tests.llmock import MockServer
from workflows.models import Execution, SpendEntry, TaskResult, Workflow

# How long what is left may take once nothing goes wrong any more.
CALM_SECONDS = 120
SHOWN = 40
PROMPT = re.compile(r"Do (\w+) of (run-\d+)\.")


class Stage:
    """Runs a plan on an empty, migrated database that Django is set up for."""

    def __init__(
        self, place: Place, provider: MockServer, folder: Path, environment: dict[str, str]
    ) -> None:
        self._place, self._provider, self._folder = place, provider, folder
        self._fleet = Fleet(place, folder, environment)
        self._receipts: list[Receipt] = []

    def perform(self, plan: plans.Plan) -> dict[str, Any]:
        """Play everything; what happened and what is wrong now."""
        user = make_user("soak@example.com")
        make_key(user, provider="custom", base_url=self._provider.base_url())
        workflows = {
            name: Workflow.create_with(owner=user, name=name, definition=document)
            for name, document in documents().items()
        }
        self._provider.script(*plans.PROVIDER)
        begun = time.monotonic()
        chaos = Chaos(self._place, self._fleet, self._provider, begun)
        try:
            self._fleet.start_all()
            clients = Thread(target=self._clients, args=[Clients(user, workflows, begun), plan])
            clients.start()
            chaos.perform(plan)
            while clients.is_alive():
                self._fleet.tend()
                clients.join(0.2)
            self._calm()
        finally:
            self._fleet.end()
        violations = judge(self._receipts, asked(self._provider))
        violations += broken()
        violations += [Violation("workers work", "worker", c) for c in self._fleet.complaints]
        if len(self._receipts) != len(plan.starts):
            told = f"{len(self._receipts)} of {len(plan.starts)} clients came back"
            violations.append(Violation("what a client was told is there", "clients", told))
        self._keep({each.execution for each in violations} - {None})
        return {
            "done": dict(chaos.done),
            "missing": self._place.missing,
            "executions": Execution.objects.count(),
            "ends": dict(Counter(Execution.objects.values_list("status", flat=True))),
            "again": called_again(),
            "losses": len(violations),
            "violations": [str(each) for each in violations[:SHOWN]],
            "seconds": round(time.monotonic() - begun, 1),
        }

    def _keep(self, executions: set[Any]) -> None:
        """Write down the rows of executions that something is wrong with."""
        for each in read(Execution.objects.filter(pk__in=executions)):
            (self._folder / f"{each.execution.pk}.json").write_text(each.dump())

    def _clients(self, clients: Clients, plan: plans.Plan) -> None:
        self._receipts = clients.perform(plan.starts)

    def _calm(self) -> None:
        """Wait until everything is over, or has had the time for it: the verdict tells."""
        deadline = time.monotonic() + CALM_SECONDS
        while time.monotonic() < deadline:
            self._fleet.tend()
            try:
                if not Execution.objects.under_way().exists():
                    return
            except DatabaseError:  # its restart may be the last thing that happened
                connection.close()
            time.sleep(0.1)


def asked(provider: MockServer) -> Counter[tuple[str, str]]:
    """How often the provider was asked for which run and task."""
    found: Counter[tuple[str, str]] = Counter()
    for request in provider.requests():
        if named := PROMPT.search(json.dumps(request["body"])):
            found[named[2], named[1]] += 1
    return found


def broken() -> list[Violation]:
    """Tasks that failed for a reason of ours: no chaos is an excuse for these."""
    found = TaskResult.objects.filter(error_code__in=["internal_error", "execution_timeout"])
    return [
        Violation(
            "nothing breaks inside",
            f"execution {task.execution_id}",
            f"{task.task_id}: {task.error}",
        )
        for task in found
    ]


def called_again() -> int:
    """Calls that were cut off by the death of their worker and made again."""
    cut_off = SpendEntry.objects.filter(settled=None)
    tasks = {
        (pk, task_id): attempts
        for pk, task_id, attempts in TaskResult.objects.filter(
            attempts__gt=F("attempts") * 0 + 1
        ).values_list("execution_id", "task_id", "attempts")
    }
    rows = cut_off.values_list("execution_id", "task_id", "attempt")
    return sum(attempt < tasks.get((pk, task_id), 0) for pk, task_id, attempt in rows)
