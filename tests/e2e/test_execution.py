"""The page of a run while it happens, through the troubles that a connection can have.

The events are rows that the test writes, as a worker would; a web process of its own streams them.
"""

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from playwright.sync_api import expect

from tests import processes
from tests.factories import make_agent, make_definition, make_task, make_workflow
from tests.workflows.pages.runs import make_attempt, make_delta, make_event, make_run
from workflows.models import ExecutionEvent, TaskResult
from workflows.models.event import task_event_data

MARKDOWN = "# What changed\n\nFive vendors, **two** of them new.\n\n| A | B |\n|-|-|\n| 1 | 2 |"
JSON = '```json\n{"title": "Bees <b>", "facts": [{"name": "Honey", "score": 0.5}], "ok": true}\n```'
LOST, AGAIN = "Connection lost, trying again", "Live again"


class Server:
    """A web process on the test's database, which can be ended and started again."""

    def __init__(self):
        self.port = processes.free_port()
        self.url = f"http://localhost:{self.port}"

    def start(self):
        command = [sys.executable, "-m", "gunicorn", "hummbl.asgi:application"]
        self.process = subprocess.Popen(
            [*command, "-b", f"127.0.0.1:{self.port}"],
            cwd=django_settings.BASE_DIR,
            env=processes.environment(ENVIRONMENT="development"),
            start_new_session=True,
        )
        processes.wait_for(self._answers, what="the web process answers")

    def _answers(self):
        try:
            with urllib.request.urlopen(f"{self.url}/signin", timeout=2):
                return True
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def stop(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture(scope="module")
def server(django_db_setup, django_db_blocker):
    """The web process of this file."""
    server = Server()
    try:
        with django_db_blocker.unblock():
            server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def fresh():
    """The site is another, and the network fails."""
    return True


@pytest.fixture
def site(server, transactional_db):
    """Served by a process that can stream."""
    return server.url


@pytest.fixture
def page(window):
    """A page whose network may fail, and nothing else."""
    troubles = []
    window.on("pageerror", lambda error: troubles.append(f"uncaught: {error}"))
    window.on(
        "console",
        lambda message: (
            message.type in {"error", "warning"}
            and "Failed to load resource" not in message.text
            and troubles.append(message.text)
        ),
    )
    yield window
    assert troubles == []


@pytest.fixture
def brief(alice):
    tasks = [
        make_task("plan"),
        make_task("left", "plan", name="Compare the prices of all the vendors that were found"),
        make_task("right", "plan"),
        make_task("report", "left", "right"),
    ]
    agents = [make_agent(instructions="Be brief.")]
    return make_workflow(alice, name="Market", definition=make_definition(*tasks, agents=agents))


@pytest.fixture
def run(alice, brief):
    """A run whose first task is done and whose second and third are being answered."""
    pending = {"report": {"status": "pending"}}
    tasks = {"plan": {"status": "completed", "output": MARKDOWN}, **pending}
    run = make_run(alice, "running", workflow=brief, tasks=tasks, age=5)
    for task in ("plan", "left", "right"):
        make_attempt(run, task, at=run.started_at)
    return run


def move(run, task_id, *, retry_in=None, **fields):
    """A change of a task and its event, as a worker writes them."""
    task = run.tasks.get(task_id=task_id)
    for name, value in fields.items():
        setattr(task, name, value)
    if task.is_terminal:
        task.completed_at = timezone.now()
    task.save()
    more = {} if retry_in is None else {"retry_in": retry_in}
    make_event(run, "task", at=timezone.now(), **task_event_data(task), **more)


def end(run, status="completed"):
    results = list(run.tasks.all())
    run.status, run.completed_at, run.ended_count = status, timezone.now(), len(results)
    run.save()
    make_event(run, "execution", **run.event_data())


def written(page, text):
    """What is being written, when it is exactly this text."""
    return page.locator("#written", has_text=re.compile(f"^{re.escape(text)} ?$"))


def notice(page, text):
    return page.locator("#connection", has_text=text)


def test_everything_moves_while_it_is_watched(page, sign_in, axe, every_look, alice, run):
    sign_in(alice)
    make_delta(run, "left", "Already there. ")
    page.goto(f"/executions/{run.pk}?task=left")
    page.evaluate("window.sameDocument = true")
    written(page, "Already there.").wait_for()
    for piece in ("One <b>", "two", " three."):
        make_delta(run, "left", piece)
        make_delta(run, "right", piece.upper())
    written(page, "Already there. One <b>two three.").wait_for()
    every_look(page)
    # Screen readers are not read every piece.
    expect(page.locator("[aria-live] #written, [role=status] #written")).to_have_count(0)

    # Another task, opened half way, shows all that it has written so far, and goes on.
    page.locator('.node[data-id="right"]').click()
    written(page, "ONE <B>TWO THREE.").wait_for()
    assert "task=right" in page.url
    make_delta(run, "right", " FOUR")
    written(page, "ONE <B>TWO THREE. FOUR").wait_for()

    # A new attempt starts afresh.
    move(run, "right", retry_in=0.1, error="It took too long.", error_code="timeout")
    page.get_by_text("The last attempt failed and is made again").wait_for()
    make_attempt(run, "right", 2)
    move(run, "right", attempts=2)
    make_delta(run, "right", "Afresh", attempt=2)
    written(page, "Afresh").wait_for()

    # The end is rendered, and the views and figures have followed.
    done = {"status": "completed", "error": "", "input_tokens": 1000, "output_tokens": 234}
    move(run, "right", output=JSON, **done)
    page.locator("#task .jt").wait_for()
    expect(page.locator("#task .jt-str").first).to_have_text("“Bees <b>”", use_inner_text=True)
    expect(page.locator("[data-live-ended]")).to_have_text("2", use_inner_text=True)
    expect(page.locator("[data-live-tokens]")).to_have_text("1,234", use_inner_text=True)
    page.locator('.node[data-id="right"].st-completed').wait_for()
    page.get_by_role("link", name="Timeline", exact=True).click()
    row = page.locator('.tl [data-id="right"]')
    expect(row.locator("rect")).to_have_class(["track", "failed", "wait", "call"])
    axe(page)
    page.get_by_role("link", name="List", exact=True).click()
    page.locator('.rows [data-id="right"]').get_by_text("Completed").wait_for()
    assert page.locator('.rows [data-id="right"]').inner_text().split() == [
        *("Right", "Completed", "2", "1,234", "$0"),
        *page.locator('.rows [data-id="right"] td').last.inner_text().split(),
    ]
    axe(page)

    move(run, "left", output=MARKDOWN, **done)
    move(run, "report", output="Done.", attempts=1, started_at=timezone.now(), **done)
    end(run)
    page.locator('#run-head [data-status="completed"]').wait_for()
    page.locator("#live-chip").wait_for(state="detached")
    assert page.evaluate("window.sameDocument") is True


def test_a_lost_connection_loses_nothing(page, context, sign_in, every_look, alice, run):
    sign_in(alice)
    page.goto(f"/executions/{run.pk}?task=left")
    make_delta(run, "left", "Before. ")
    written(page, "Before.").wait_for()
    context.set_offline(True)
    for number in range(5):
        make_delta(run, "left", f"Meanwhile {number}. ")
    notice(page, LOST).wait_for()
    every_look(page)
    context.set_offline(False)
    notice(page, AGAIN).wait_for()
    make_delta(run, "left", "After.")
    told = "".join(f"Meanwhile {number}. " for number in range(5))
    written(page, f"Before. {told}After.").wait_for()
    notice(page, AGAIN).wait_for(state="hidden")


def test_a_server_that_is_started_again(page, server, sign_in, alice, run):
    sign_in(alice)
    page.goto(f"/executions/{run.pk}?task=left")
    make_delta(run, "left", "Before. ")
    written(page, "Before.").wait_for()
    server.stop()
    try:
        notice(page, LOST).wait_for()
        make_delta(run, "left", "After.")
    finally:
        server.start()
    written(page, "Before. After.").wait_for()
    notice(page, AGAIN).wait_for()


def hide(page, hidden):
    page.evaluate(
        "(hidden) => { Object.defineProperty(document, 'hidden', {configurable: true, get: () => "
        "hidden}); document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


def test_a_hidden_page_keeps_no_connection_and_catches_up(page, sign_in, alice, run):
    sign_in(alice)
    page.goto(f"/executions/{run.pk}?task=left")
    make_delta(run, "left", "Before. ")
    written(page, "Before.").wait_for()
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/stream")):
        hide(page, True)
    make_delta(run, "left", "Meanwhile. ")
    with page.expect_request("**/stream") as asked:
        hide(page, False)
    assert int(asked.value.headers["last-event-id"]) > 1
    written(page, "Before. Meanwhile.").wait_for()
    # As a page that the browser had put aside, and one that slept.
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    make_delta(run, "left", "Aside. ")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    written(page, "Before. Meanwhile. Aside.").wait_for()
    session = page.context.new_cdp_session(page)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    make_delta(run, "left", "Asleep. ")
    move(run, "left", status="completed", output="All of it.")
    session.send("Page.setWebLifecycleState", {"state": "active"})
    page.locator("#p-out", has_text="All of it.").wait_for()


def test_a_session_that_ends(page, sign_in, axe, alice, run):
    sign_in(alice)
    page.goto(f"/executions/{run.pk}?task=left")
    page.locator("#live-chip", has_text="Live").wait_for()
    page.context.clear_cookies()
    hide(page, True)
    hide(page, False)
    notice(page, "You have been signed out.").wait_for()
    axe(page)
    page.locator("#connection").get_by_role("link", name="Sign in").click()
    page.wait_for_url("**/signin?next=*")
    assert f"/executions/{run.pk}" in page.url.replace("%2F", "/")


def test_views_without_the_mouse(page, sign_in, every_look, alice, brief):
    run = make_run(alice, workflow=brief, tasks={"plan": {"output": JSON}})
    sign_in(alice)
    page.goto(f"/executions/{run.pk}")
    page.get_by_role("link", name="List", exact=True).focus()
    page.keyboard.press("Enter")
    first = page.locator(".rows a").first
    first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.locator("#task-title", has_text="Right").wait_for()
    assert "task=right" in page.url
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    page.locator("#task .jt").wait_for()
    page.get_by_role("link", name="Raw").click()
    assert page.locator("#output-raw").inner_text() == JSON
    page.get_by_role("link", name="JSON", exact=True).click()
    every_look(page)
    page.get_by_role("link", name="Raw").click()
    # Choices are kept: the view, the task and the form of the output.
    page.reload()
    expect(page.locator(".view-list")).to_be_visible()
    page.locator("#task-title", has_text="Plan").wait_for()
    page.locator("summary", has_text="Download").click()
    with page.expect_download() as saved:
        page.get_by_role("link", name="All outputs, JSON").click()
    assert saved.value.suggested_filename == "market.json"
    expect(page.get_by_role("link", name="All outputs, JSON")).to_be_hidden()


@pytest.mark.parametrize(("width", "theme"), [(390, "light")])
def test_a_phone_begins_with_the_list(page, sign_in, fits, alice, brief):
    sign_in(alice)
    page.goto(f"/executions/{make_run(alice, workflow=brief).pk}")
    expect(page.locator(".rows")).to_be_visible()
    expect(page.locator(".dag")).to_be_hidden()
    page.get_by_role("link", name="Graph", exact=True).click()
    page.locator(".dag.ready").wait_for()
    fits(page)


@pytest.mark.parametrize("javascript", [False])
def test_views_without_scripts(page, sign_in, alice, brief):
    run = make_run(alice, workflow=brief)
    sign_in(alice)
    page.goto(f"/executions/{run.pk}")
    page.get_by_role("link", name="Timeline", exact=True).click()
    page.locator(".tl a", has_text="Plan").click()
    expect(page.locator(".tl")).to_be_visible()
    expect(page.locator("#task-title")).to_have_text("Plan", use_inner_text=True)


def burst(run):
    """Every task begins and ends at once."""
    now = timezone.now()
    results = list(run.tasks.all())
    events = []
    for status in ("running", "completed"):
        for result in results:
            result.status, result.attempts, result.started_at = status, 1, now
            result.completed_at = now if status == "completed" else None
            number = run.last_sequence + len(events) + 1
            data = task_event_data(result)
            events.append(ExecutionEvent(execution=run, sequence=number, type="task", data=data))
    TaskResult.objects.bulk_update(results, ["status", "attempts", "started_at", "completed_at"])
    ExecutionEvent.objects.bulk_create(events)
    run.last_sequence += len(events)
    run.save()


def test_two_hundred_tasks_stay_smooth(page, sign_in, alice):
    tasks = [
        make_task("first"),
        *(make_task(f"t{n}", f"t{n - 9}" if n > 9 else "first") for n in range(1, 200)),
    ]
    workflow = make_workflow(alice, definition=make_definition(*tasks))
    run = make_run(alice, "running", workflow=workflow)
    TaskResult.objects.filter(execution=run).update(status="pending", started_at=None, attempts=0)
    sign_in(alice)
    page.goto(f"/executions/{run.pk}?task=t5")
    page.locator("#live-chip", has_text="Live").wait_for()
    fetched = []
    page.on("request", lambda request: "/tasks/" in request.url and fetched.append(request.url))
    with page.expect_response("**/tasks/t5"):
        burst(run)
    page.locator("[data-live-ended]", has_text="200").wait_for()
    page.locator(".node.st-completed").nth(199).wait_for()
    # Only the open task was looked at, and its changes together.
    assert 1 <= len(fetched) <= 4
    assert all(url.endswith("/t5") for url in fetched)
