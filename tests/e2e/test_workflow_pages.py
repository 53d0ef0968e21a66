"""The workflow pages in their states, with and without scripts."""

from decimal import Decimal

import pytest
from playwright.sync_api import expect

from tests.factories import make_agent, make_definition, make_key, make_task, make_workflow
from tests.workflows.pages.runs import make_attempt, make_run
from workflows.models import Execution, Workflow

without_scripts = pytest.mark.parametrize("javascript", [False])

OUTPUT = """# What changed

Five vendors, **two** of them new. See [the notice](https://example.com/notice).

| Vendor | Model of its prices | Share |
|---|---|---|
| Locus | Per robot and month, support included | 31% |

```
a line of code that is rather long, so that it has to wrap somewhere on a phone, as lines do
```
"""
STATES = {
    "pending": {},
    "running": {"plan": {"status": "completed", "output": OUTPUT}},
    "completed": {name: {"output": OUTPUT} for name in ("plan", "left", "right", "report")},
    "failed": {
        "left": {
            "status": "failed",
            "attempts": 3,
            "error": "OpenAI is limiting the rate of calls. " * 3,
            "error_code": "rate_limited",
        },
        "report": {"status": "skipped", "error": "Skipped, because “Left” failed."},
    },
    "cancelled": {"plan": {"status": "completed", "output": OUTPUT}},
}


@pytest.fixture
def brief(alice):
    """A workflow with a fork, a join and an input."""
    long_name = "Compare_the_prices_of_all_the_vendors_that_were_found_in_the_first_step " * 2
    tasks = [
        make_task("plan", description="Plan the research on {{ input.topic }}."),
        make_task("left", "plan", name=long_name),
        make_task("right", "plan", input={"tone": "plain"}),
        make_task("report", "left", "right"),
    ]
    agents = [make_agent(instructions="Be brief.", fallbacks=["openai:gpt-5-mini"])]
    definition = make_definition(*tasks, agents=agents)
    return make_workflow(alice, name="Market brief", definition=definition, cost_cap=Decimal("0.5"))


@pytest.fixture
def quiet_stream(page):
    """No events: the server of these tests cannot stream, which is the story's to test."""
    page.route(
        "**/stream",
        lambda route: route.fulfill(content_type="text/event-stream", body=": nothing\n\n"),
    )


@pytest.mark.parametrize("page_name", ["", "/edit", "/run"])
def test_everything_unfolded(page, sign_in, every_look, alice, brief, page_name):
    make_run(alice, workflow=brief)
    sign_in(alice)
    page.goto(f"/workflows/{brief.pk}{page_name}")
    for fold in page.locator("main summary:not(.menu > summary):visible").all():
        fold.click()
    every_look(page)


@pytest.mark.parametrize("status", STATES)
def test_a_run_in_every_state(page, quiet_stream, sign_in, axe, every_look, alice, brief, status):
    run = make_run(alice, status, workflow=brief, tasks=STATES[status], input={"topic": "bees"})
    make_attempt(run, "left", 1, settled=None, error="It took too long.")
    sign_in(alice)
    page.goto(f"/executions/{run.pk}")
    for name in ("Prompt", "Attempts", "Agent"):
        page.get_by_role("tab", name=name).click()
        axe(page)
    page.get_by_role("tab", name="Output").click()
    every_look(page)


def test_a_word_without_end_widens_no_page(page, sign_in, fits, alice):
    word = "W" * 150
    schema = {"type": "object", "properties": {"x": {"type": "string", "title": word}}}
    document = make_definition(make_task("one", name=word), input_schema=schema)
    workflow = make_workflow(alice, name=word, description=word, definition=document)
    sign_in(alice)
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 844})
        for end in ("", "/run", "/edit", "/versions"):
            page.goto(f"/workflows/{workflow.pk}{end}")
            fits(page)


def test_a_refused_form(page, sign_in, every_look, alice, brief):
    sign_in(alice)
    page.goto(f"/workflows/{brief.pk}/edit")
    page.get_by_label("Name", exact=True).first.fill("")
    page.locator("#tasks-0 summary").first.click()
    page.locator("#tasks-0").get_by_label("Prompt").fill("{{ tasks.ghost.output }}")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Not saved: 2 things to correct").wait_for()
    every_look(page)
    page.get_by_role("link", name="Task Plan, prompt").click()
    focused = page.evaluate("document.activeElement.id")
    assert focused == "id_tasks-0-description"


def test_a_conflict(page, sign_in, every_look, alice, adam, brief):
    sign_in(alice)
    page.goto(f"/workflows/{brief.pk}/edit")
    Workflow.objects.get().revise(make_definition(), by=adam)
    page.locator("#tasks-0 summary").first.click()
    page.locator("#tasks-0").get_by_label("Name").fill("Mine")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Someone saved version 2").wait_for()
    every_look(page)
    page.get_by_role("button", name="Save mine as the next version").click()
    page.get_by_text("Version 3").wait_for()


def test_tasks_come_and_go_without_a_round_trip(page, sign_in, alice):
    sign_in(alice)
    page.goto("/workflows/new")
    page.evaluate("window.sameDocument = true")
    for name in ("Gather", "Gather", "Report"):
        if page.locator("#tasks-0").get_by_label("Name").input_value():
            page.get_by_role("button", name="Add task").click()
        page.locator("[data-part=tasks]").last.get_by_label("Name").fill(name)
    ids = [field.input_value() for field in page.locator('[name^=tasks][name$="-id"]').all()]
    assert ids == ["gather", "gather_2", "report"]
    last = page.locator("[data-part=tasks]").last
    last.get_by_role("button", name="Gather", exact=True).first.click()
    expect(last.get_by_label("Runs after")).to_have_value("gather")
    last.get_by_label("Prompt").fill("Use {{ tasks.gather.output }}.")
    # An id that follows its name takes what refers to it along.
    page.locator("#tasks-0").get_by_label("Name").fill("Collect")
    expect(last.get_by_label("Runs after")).to_have_value("collect")
    expect(last.get_by_label("Prompt")).to_have_value("Use {{ tasks.collect.output }}.")
    page.locator('.dag [data-id="report"][data-deps="collect"]').wait_for()
    # What would close a circle cannot be chosen.
    first = page.locator("#tasks-0")
    assert first.get_by_role("button", name="Report", exact=True).is_disabled()
    first.get_by_role("button", name="Remove task").click()
    expect(last.get_by_label("Runs after")).to_have_value("")
    page.locator(".dag .node").nth(2).wait_for(state="detached")
    assert page.evaluate("window.sameDocument") is True


def test_a_node_leads_to_its_form(page, sign_in, alice, brief):
    sign_in(alice)
    page.goto(f"/workflows/{brief.pk}/edit")
    page.locator('.dag [data-id="right"]').click()
    expect(page.locator("#id_tasks-2-name")).to_be_focused()
    expect(page.locator("#tasks-2")).to_have_attribute("open", "")


def test_the_graph_survives_a_circle(page, sign_in, alice, brief):
    sign_in(alice)
    page.goto(f"/workflows/{brief.pk}/edit")
    page.locator("#tasks-0 summary").first.click()
    page.locator("#tasks-0").get_by_label("Runs after").fill("report")
    page.locator("#tasks-0 [data-circle]").wait_for()
    expect(page.locator(".dag .node")).to_have_count(4)


@without_scripts
def test_the_whole_form_works_without_scripts(page, sign_in, alice):
    sign_in(alice)
    page.goto("/workflows/new")
    page.get_by_label("Name", exact=True).first.fill("Plain")
    page.locator("#tasks-0").get_by_label("Name").fill("Gather")
    page.locator("#tasks-0").get_by_label("Prompt").fill("On {{ input.topic }}.")
    page.get_by_role("button", name="Add task").click()
    page.locator("#tasks-1").get_by_label("Name").fill("Report")
    page.locator("#tasks-1").get_by_label("Prompt").fill("Write it.")
    page.locator("#tasks-1").get_by_label("Runs after").fill("Gather")
    page.get_by_role("button", name="Save and run").click()
    page.get_by_label("Topic").fill("bees")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("link", name="Refresh").click()
    run = Execution.objects.get()
    assert run.input == {"topic": "bees"}
    page.get_by_role("button", name="Cancel run").click()
    page.get_by_text("This run was cancelled").wait_for()


@without_scripts
def test_every_part_of_a_task_shows_without_scripts(page, sign_in, alice, brief):
    run = make_run(alice, workflow=brief, tasks=STATES["completed"])
    make_attempt(run, "report")
    sign_in(alice)
    page.goto(f"/executions/{run.pk}?task=report")
    for text in ("Five vendors", "Do report.", "Attempt 1", "Be brief."):
        expect(page.get_by_text(text).first).to_be_visible()


def test_deleting_asks_first(page, sign_in, every_look, alice, brief):
    sign_in(alice)
    page.goto(f"/workflows/{brief.pk}")
    page.get_by_label("More actions").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").wait_for()
    every_look(page)
    page.get_by_role("button", name="Keep it").click()
    assert Workflow.objects.exists()
    page.get_by_label("More actions").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete workflow").click()
    page.wait_for_url("**/workflows")
    assert not Workflow.objects.exists()


def test_lists_filter_as_one_types(page, sign_in, alice, brief):
    make_workflow(alice, name="Another")
    sign_in(alice)
    page.goto("/workflows")
    page.get_by_label("Search by name or description").fill("market")
    page.get_by_role("link", name="Another", exact=True).wait_for(state="detached")
    assert "q=market" in page.url
    page.get_by_label("Status").select_option("paused")
    page.get_by_text("No workflow matches").wait_for()


def test_the_address_of_a_key_is_asked_only_where_it_matters(page, sign_in, alice):
    make_key(alice)
    sign_in(alice)
    page.goto("/keys")
    expect(page.get_by_label("Base URL")).to_be_hidden()
    page.get_by_label("Provider").select_option("custom")
    expect(page.get_by_label("Base URL")).to_be_visible()


def test_two_hundred_tasks(page, quiet_stream, sign_in, alice):
    tasks = [
        make_task("first"),
        *(make_task(f"t{n}", f"t{n - 9}" if n > 9 else "first") for n in range(1, 200)),
    ]
    workflow = make_workflow(alice, definition=make_definition(*tasks))
    run = make_run(alice, "running", workflow=workflow)
    sign_in(alice)
    for url in (f"/workflows/{workflow.pk}/edit", f"/executions/{run.pk}"):
        page.goto(url)
        expect(page.locator(".dag.ready .node")).to_have_count(200)


def test_a_long_form_makes_its_fields_when_they_are_needed(page, sign_in, alice):
    tasks = [make_task(f"task_{number}") for number in range(60)]
    workflow = make_workflow(alice, definition=make_definition(*tasks))
    sign_in(alice)
    page.goto(f"/workflows/{workflow.pk}/edit")
    expect(page.locator("#tasks-59 textarea")).to_have_count(0)
    page.locator("#tasks-59 summary").first.click()
    page.locator("#tasks-59").get_by_label("Prompt").fill("Something else.")
    page.locator("#tasks-59").get_by_label("Runs after").fill("task_0")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Version 2").wait_for()
    document = Workflow.objects.get().current_version.definition
    assert document["tasks"][59]["description"] == "Something else."
    assert document["tasks"][59]["dependencies"] == ["task_0"]
    assert document["tasks"][58]["description"] == "Do task_58."
