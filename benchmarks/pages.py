"""Measurements in a browser: what pages transfer and ask, and how soon the editor is there."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Role
from benchmarks.engine import make, owner
from benchmarks.processes import ScriptedWorker, free_port, from_procfile, wait_for
from benchmarks.skipping import Skipped
from tests.factories import make_diamond
from tests.signing_in import sign_in
from workflows.models import Workflow

# A page can be used when its modules have run and what they drew is on the screen.
_DRAWN = """() => new Promise((resolve) => requestAnimationFrame(() =>
  requestAnimationFrame(() => resolve(performance.now()))))"""


def editor(counts: list[int], repeat: int) -> dict[str, list[float]]:
    """Milliseconds from the click to an editor that can be used, by number of tasks."""
    workflows = {count: make(make_diamond(count - 2)) for count in counts}
    with _site() as site:
        return {
            str(count): [
                _open(site, reverse("workflow_edit", args=[each.pk])) for _ in range(repeat)
            ]
            for count, each in workflows.items()
        }


def _open(site: Any, path: str) -> float:
    page = site.new_page()
    page.goto(path, wait_until="load")
    milliseconds = page.evaluate(_DRAWN)
    assert page.locator("#dag .node").count(), "the graph is empty"
    page.close()
    return float(milliseconds)


def pages(tasks: int) -> list[dict[str, Any]]:
    """Of each page: kilobytes that a browser without a cache transfers, requests, queries.

    The workflow and the execution that are shown have that many tasks.
    """
    workflow = make(make_diamond(tasks - 2))
    workflow.revise(make_diamond(tasks - 3), by=workflow.owner)
    execution = workflow.execute(user=workflow.owner, input={})
    with ScriptedWorker("--until", 1) as worker:
        worker.expect("done")
    paths = list(_paths(workflow, str(execution.pk)))
    with _site() as site:
        return [_measure(site, path, name) for name, path in paths]


def _paths(workflow: Workflow, execution: str) -> Iterator[tuple[str, str]]:
    for name in (
        "dashboard",
        "workflow_list",
        "template_list",
        "execution_list",
        "key_list",
        "profile",
        "workflow_create",
        "workflow_import",
        "manage_workflows",
        "manage_executions",
        "manage_stats",
    ):
        yield name, reverse(name)
    for name in ("workflow_detail", "workflow_edit", "workflow_run", "workflow_versions"):
        yield name, reverse(name, args=[workflow.pk])
    yield "workflow_diff", reverse("workflow_diff", args=[workflow.pk, 1, 2])
    yield "execution_detail", reverse("execution_detail", args=[execution])


def _measure(site: Any, path: str, name: str) -> dict[str, Any]:
    transferred: list[float] = []
    page = site.new_page()
    session = site.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.on(
        "Network.loadingFinished", lambda event: transferred.append(event["encodedDataLength"])
    )
    answer = page.goto(path, wait_until="load")
    page.evaluate(_DRAWN)
    assert answer.status == 200, f"{path} answered {answer.status}"
    page.close()
    return {
        "page": name,
        "kilobytes": sum(transferred) / 1000,
        "requests": len(transferred),
        "queries": _queries(path),
    }


def _queries(path: str) -> int:
    client = Client(headers={"host": "localhost"})
    sign_in(client, owner())
    client.get(path)  # what a process asks once
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


@contextmanager
def _site() -> Iterator[Any]:
    """A browser's profile, signed in as an admin, on a running web process."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium:
        raise Skipped("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    # Playwright keeps an event loop in this thread, which Django takes for async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    user = owner()
    user.role = Role.ADMIN
    user.save(update_fields=["role"])
    client = Client()
    sign_in(client, user)
    port = free_port()
    limits = {"RATE_LIMIT_PAGES": "", "RATE_LIMIT_TELEMETRY": ""}
    with from_procfile("web", port=port, **limits), sync_playwright() as playwright:
        wait_for(port, "/signin")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(base_url=f"http://localhost:{port}")
        name = settings.SESSION_COOKIE_NAME
        cookie = {"name": name, "value": client.cookies[name].value}
        context.add_cookies([{**cookie, "domain": "localhost", "path": "/"}])
        yield context
        browser.close()
