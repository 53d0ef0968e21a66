"""The workflow editor by keyboard and by mouse, and all that must not get lost in it."""

import re

import pytest
from django.conf import settings as django_settings
from playwright.sync_api import expect

from tests.factories import make_agent, make_definition, make_key, make_task, make_workflow
from tests.processes import wait_for, worker
from workflows.models import Execution, Workflow

DRAFTS = "Object.keys(localStorage).filter((key) => key.startsWith('hummbl-draft'))"


@pytest.fixture
def brief(alice):
    """Two agents and three tasks in a row, and an input."""
    tasks = [
        make_task("gather", description="List facts about {{ input.topic }}."),
        make_task("check", "gather", description="Check {{ tasks.gather.output }}."),
        make_task("report", "check", agent_id="editor"),
    ]
    schema = {"type": "object", "properties": {"topic": {"type": "string"}}}
    agents = [make_agent(instructions="Be brief."), make_agent("editor")]
    definition = make_definition(*tasks, agents=agents, input_schema=schema)
    return make_workflow(alice, name="Brief", definition=definition)


@pytest.fixture
def edit(page, sign_in, alice):
    """`edit(workflow)` opens the editor as Alice."""

    def open_editor(workflow):
        sign_in(alice)
        page.goto(f"/workflows/{workflow.pk}/edit")
        ready(page)
        return page

    return open_editor


@pytest.fixture
def worker_process(transactional_db, settings):
    """A worker on the test's database; it may call this machine."""
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    with worker():
        yield


def ready(page):
    """Wait for the scripts: they have put handles on the nodes of the graph."""
    page.locator(".port").first.wait_for(state="attached")


def part(page, title, kind="tasks"):
    """The part of the form with that title."""
    return page.locator(f"[data-part={kind}]").filter(
        has=page.locator("[data-title]", has_text=title)
    )


def shows(page, *titles):
    """The tasks of the form are these, in this order."""
    expect(page.locator("[data-part=tasks] [data-title]")).to_have_text(titles)


def says(page, words):
    expect(page.locator("[data-live]")).to_contain_text(words)


def focused(page):
    return page.evaluate("document.activeElement.name || document.activeElement.id")


def focus_is_on(page, name):
    expect(page.locator(f'[name="{name}"]:focus, [id="{name}"]:focus')).to_have_count(1)


def document():
    return Workflow.objects.get().current_version.definition


def test_a_workflow_is_built_with_the_keyboard_alone(page, sign_in, alice, axe):
    sign_in(alice)
    page.goto("/workflows/new")
    ready(page)
    keys = page.keyboard
    page.locator("#id_name").focus()
    keys.type("Sample")
    for _ in range(40):
        if focused(page) == "tasks-0-name":
            break
        keys.press("Tab")
    keys.type("Gather")
    for _ in range(4):
        if focused(page) == "tasks-0-description":
            break
        keys.press("Tab")
    keys.type("List facts about {{ input.topic")
    keys.press("Enter")  # takes the new input from the list
    keys.type(".")
    keys.press("Alt+n")
    focus_is_on(page, "tasks-1-name")
    keys.type("Check")
    _tab_to(page, "tasks-1-description")
    keys.type("Check {{ gath")
    page.locator("#placeholder-0").wait_for()
    axe(page)
    keys.press("Tab")
    expect(page.locator("#id_tasks-1-dependencies")).to_have_value("gather")
    keys.press("Alt+n")
    keys.type("Report")
    _tab_to(page, "tasks-2-dependencies")
    keys.type("Check")
    _tab_to(page, "tasks-2-description")
    keys.type("Write it.")
    keys.press("Control+s")
    page.wait_for_url("**/workflows/*-*")
    tasks = document()["tasks"]
    assert [task["dependencies"] for task in tasks] == [[], ["gather"], ["check"]]
    assert tasks[0]["description"] == "List facts about {{ input.topic }}."
    assert tasks[1]["description"] == "Check {{ tasks.gather.output }}"


def _tab_to(page, name):
    for _ in range(12):
        page.keyboard.press("Tab")
        if focused(page) == name:
            return
    raise AssertionError(f"{name} is not within twelve tabs of {focused(page)}")


def test_parts_are_copied_moved_and_removed_and_all_of_it_undone(edit, brief):
    page = edit(brief)
    part(page, "Gather").locator("summary").first.click()
    part(page, "Gather").get_by_role("button", name="Duplicate").click()
    shows(page, "Gather", "Gather copy", "Check", "Report")
    assert page.locator("#id_tasks-3-description").input_value().startswith("List facts")
    expect(page.locator("#id_tasks-3-id")).to_have_value("gather_copy")
    page.locator("#tasks-2-title").focus()
    page.keyboard.press("Alt+ArrowUp")
    shows(page, "Gather", "Gather copy", "Report", "Check")
    says(page, "moved to place 3 of 4")
    focus_is_on(page, "tasks-2-title")
    page.locator("#tasks-0-title").focus()
    page.keyboard.press("Delete")
    shows(page, "Gather copy", "Report", "Check")
    says(page, "Ctrl+Z")
    page.get_by_role("button", name="Undo").click()
    shows(page, "Gather", "Gather copy", "Report", "Check")
    page.locator("#tasks-0-title").focus()
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    shows(page, "Gather", "Check", "Report")
    page.keyboard.press("Control+Shift+z")
    shows(page, "Gather", "Gather copy", "Check", "Report")
    page.locator("#tasks-0-title").focus()
    page.keyboard.press("Alt+ArrowDown")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Version 2").wait_for()
    assert [task["id"] for task in document()["tasks"]] == [
        *("gather_copy", "gather", "check", "report")
    ]
    assert document()["tasks"][2]["dependencies"] == ["gather"]


def test_tasks_are_dragged_by_their_icon(edit, brief):
    page = edit(brief)
    page.locator("#tasks-2-title").scroll_into_view_if_needed()
    grip = page.locator("#tasks-2 [data-grip]").bounding_box()
    target = page.locator("#tasks-0-title").bounding_box()
    page.mouse.move(grip["x"] + 8, grip["y"] + 8)
    page.mouse.down()
    page.mouse.move(target["x"] + 8, target["y"] + 30, steps=3)
    page.mouse.move(target["x"] + 8, target["y"] + 4, steps=3)
    page.mouse.up()
    shows(page, "Report", "Gather", "Check")
    expect(page.locator("#tasks-2")).not_to_have_attribute("open", "")


def test_references_follow_ids_and_agents_are_replaced(edit, brief, every_look):
    page = edit(brief)
    part(page, "Gather").locator("summary").first.click()
    gather = page.locator("#tasks-0")
    gather.get_by_text("More", exact=True).click()
    page.locator("#id_tasks-0-id").fill("collect")
    page.locator("#id_tasks-0-id").press("Tab")
    page.locator("#tasks-1-title").click()
    expect(page.locator("#id_tasks-1-dependencies")).to_have_value("collect")
    expect(page.locator("#id_tasks-1-description")).to_have_value(
        re.compile("tasks.collect.output")
    )
    page.locator("#agents-0-title").focus()
    page.keyboard.press("Delete")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("“Writer” does 2 tasks.")
    every_look(page)
    dialog.get_by_role("button", name="Remove agent").click()
    expect(page.locator("#id_tasks-0-agent_id")).to_have_value("editor")
    page.locator("#agents-1-title").focus()
    page.keyboard.press("Control+z")
    expect(page.locator("#id_tasks-0-agent_id")).to_have_value("writer")


def test_the_graph_writes_to_the_form(edit, brief):
    page = edit(brief)
    page.locator("#tasks-2-title").click()
    depends = page.locator("#id_tasks-2-dependencies")
    page.locator('.node[data-id="gather"]').focus()
    page.keyboard.press("c")
    page.locator('.node[data-id="report"]').focus()
    page.keyboard.press("Enter")
    expect(depends).to_have_value("check, gather")
    edge = page.locator('.dag-e path:not(.hit)[data-from="gather"][data-to="report"]')
    expect(edge).to_have_count(1)
    page.locator('.node[data-id="report"]').focus()
    page.keyboard.press("d")
    page.keyboard.press("Delete")
    expect(depends).to_have_value("gather")
    page.keyboard.press("Control+z")
    expect(depends).to_have_value("check, gather")
    # A circle is refused at once, in the graph and in the field.
    page.locator('.node[data-id="report"]').focus()
    page.keyboard.press("c")
    page.locator('.node[data-id="gather"]').focus()
    page.keyboard.press("Enter")
    says(page, "that would be a circle")
    page.locator("#tasks-0-title").click()
    expect(page.locator("#id_tasks-0-dependencies")).to_have_value("")
    page.locator("#id_tasks-0-dependencies").fill("report")
    page.locator("#tasks-0 [data-circle]").wait_for()
    page.locator("#id_tasks-0-dependencies").fill("")
    page.locator('.node[data-id="gather"]').focus()
    page.keyboard.press("n")
    page.locator("[data-part=tasks]").nth(3).wait_for()
    shows(page, "Gather", "task_4", "Check", "Report")
    expect(page.locator("#id_tasks-3-dependencies")).to_have_value("gather")


def test_placeholders_are_completed_with_the_mouse_and_marked(edit, brief):
    page = edit(brief)
    page.locator("#tasks-2-title").click()
    prompt = page.locator("#id_tasks-2-description")
    prompt.fill("")
    page.locator("#tasks-2").get_by_role("button", name="Insert input or answer").click()
    expect(page.locator(".complete [data-index]")).to_have_count(3)
    page.get_by_role("option", name="Gather").click()
    expect(prompt).to_have_value("{{ tasks.gather.output }}")
    expect(page.locator("#id_tasks-2-dependencies")).to_have_value("check")  # gather is before it
    prompt.fill("{{ tasks.ghost.output }} {{ input.tone }} {{ tasks.report.output }}")
    notes = page.locator("#tasks-2 .prompt-notes li")
    notes.nth(2).wait_for()
    expect(notes).to_have_text(
        [
            "There is no task “ghost”.",
            "“tone” is not in the input schema.",
            "A task cannot use its own answer.",
        ]
    )
    prompt.press("Control+End")
    prompt.type(" {{ ")
    page.get_by_role("listbox").wait_for()
    prompt.press("Escape")
    expect(page.get_by_role("listbox")).to_have_count(0)


def test_every_state_fits_and_is_accessible(edit, brief, every_look):
    page = edit(brief)
    page.locator("#tasks-1-title").click()
    page.locator("#tasks-1 .try > summary").click()
    page.get_by_text("what is marked dashed").wait_for()
    every_look(page)
    page.get_by_label("Answer of “Gather”").fill("Bees <b>dance</b>.")
    mark = page.locator("#tasks-1 [data-try-prompt] mark", has_text="Bees <b>dance</b>.")
    mark.wait_for()
    expect(page.locator("#tasks-1").get_by_text("Be brief.")).to_be_visible()
    page.locator("#id_tasks-1-name").fill("")
    page.locator("#id_tasks-1-name").press("Tab")
    page.locator("#id_tasks-1-name_error").wait_for()
    expect(page.get_by_role("button", name="1 to correct")).to_be_visible()
    every_look(page)
    page.locator("h1").click()
    page.keyboard.press("?")
    page.get_by_role("heading", name="Keyboard shortcuts").wait_for()
    every_look(page)


def test_problems_are_visited_one_after_another(edit, alice):
    tasks = [make_task(f"task_{number}") for number in range(200)]
    page = edit(make_workflow(alice, definition=make_definition(*tasks)))
    page.locator("#tasks-150-title").click()
    page.locator("#id_tasks-150-description").fill("")
    page.locator("#tasks-180-title").click()
    page.locator("#id_tasks-180-dependencies").fill("ghost")
    page.locator("#tasks-150-title").click()
    page.keyboard.press("Control+s")
    page.get_by_text("Not saved: 2 things to correct").wait_for()
    focus_is_on(page, "errors")
    page.keyboard.press("F8")
    focus_is_on(page, "tasks-150-description")
    page.keyboard.press("F8")
    focus_is_on(page, "tasks-180-dependencies")
    page.locator("#id_tasks-180-dependencies").fill("")
    page.locator("#id_tasks-180-dependencies").press("Shift+F8")
    focus_is_on(page, "tasks-150-description")
    page.locator("#id_tasks-150-description").fill("Do it.")
    page.locator("#id_tasks-150-description").press("Tab")
    page.locator("#errors").wait_for(state="detached")


def test_a_reload_and_a_crash_lose_nothing(edit, brief, every_look):
    page = edit(brief)
    page.locator("#tasks-0-title").click()
    page.locator("#id_tasks-0-description").fill("Something new about {{ input.topic }}.")
    page.locator("#tasks-2-title").focus()
    page.keyboard.press("Alt+ArrowUp")
    page.once("dialog", lambda dialog: dialog.accept())  # “Leave site?”
    page.reload()
    page.get_by_text("Unsaved changes from").wait_for()
    every_look(page)
    page.get_by_role("button", name="Restore").click()
    shows(page, "Gather", "Report", "Check")
    page.locator("#tasks-0-title").click()
    expect(page.locator("#id_tasks-0-description")).to_have_value(re.compile("Something new"))
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Version 2").wait_for()
    wait_for(lambda: page.evaluate(DRAFTS) == [])
    page.goto(f"/workflows/{brief.pk}/edit")
    ready(page)
    expect(page.get_by_text("Unsaved changes from")).to_have_count(0)
    wait_for(lambda: page.evaluate(DRAFTS) == [])


def test_a_second_tab_is_told(edit, brief, context):
    page = edit(brief)
    page.locator("#id_description").fill("Mine")
    other = context.new_page()
    other.goto(f"/workflows/{brief.pk}/edit")
    other.get_by_text("open in another tab too").wait_for()
    other.locator("#tasks-0-title").click()
    other.locator("#id_tasks-0-name").fill("Theirs")
    other.get_by_role("button", name="Save", exact=True).click()
    other.get_by_text("Version 2").wait_for()
    page.get_by_text("saved in another tab, as version 2").wait_for()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Someone saved version 2").wait_for()
    expect(page.locator("#id_description")).to_have_value("Mine")
    page.get_by_role("button", name="Save mine as the next version").click()
    page.get_by_text("Version 3").wait_for()


def test_a_save_that_fails_keeps_everything(browser, site, sign_in, alice, brief, context):
    page = context.new_page()  # its console may complain: the failures are ours
    sign_in(alice)
    page.goto(f"/workflows/{brief.pk}/edit")
    ready(page)
    page.locator("#id_description").fill("Precious")
    page.route("**/edit", lambda route: route.abort())
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("The server cannot be reached").wait_for()
    page.unroute("**/edit")
    cookies = context.cookies()
    context.clear_cookies(name=django_settings.SESSION_COOKIE_NAME)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Your session has ended").wait_for()
    expect(page.locator("#id_description")).to_have_value("Precious")
    context.add_cookies(cookies)
    page.locator("[name=csrfmiddlewaretoken]").first.evaluate(
        "field => field.value = 'x'.repeat(64)"
    )
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(f"**/workflows/{brief.pk}")
    assert Workflow.objects.get().description == "Precious"


def test_signing_out_leaves_no_draft(edit, brief):
    page = edit(brief)
    page.locator("#id_description").fill("Mine")
    wait_for(lambda: page.evaluate(DRAFTS))
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(lambda url: "/edit" not in url)
    wait_for(lambda: page.evaluate(DRAFTS) == [])


def test_one_task_is_tested_as_it_is_typed(edit, alice, llmock, worker_process, every_look):
    make_key(alice, provider="custom", base_url=llmock.base_url())
    agents = [make_agent(provider="custom", model="gpt-mock")]
    tasks = [make_task("gather"), make_task("report", "gather")]
    workflow = make_workflow(
        alice, status="draft", definition=make_definition(*tasks, agents=agents)
    )
    llmock.reply("**Nine** bees.")
    page = edit(workflow)
    page.locator("#tasks-1-title").click()
    page.locator("#id_tasks-1-description").fill("Count them: {{ tasks.gather.output }}")
    page.locator("#id_tasks-1-description").press("Control+Enter")
    page.get_by_label("Answer of “Gather”").wait_for()
    page.get_by_role("button", name="Test this task").click()
    page.get_by_text("Enter a sample.").wait_for()
    page.get_by_label("Answer of “Gather”").fill("bee bee bee")
    page.get_by_role("button", name="Test this task").click()
    page.locator(".try-output strong", has_text="Nine").wait_for(timeout=60_000)
    every_look(page)
    run = Execution.objects.get()
    assert run.trigger == "test"
    assert run.status == "completed"
    assert run.tasks.get(task_id="report").input == "Count them: bee bee bee"
    assert len([r for r in llmock.requests() if r["path"].endswith("/chat/completions")]) == 1
    assert Workflow.objects.get().current_version.number == 1
