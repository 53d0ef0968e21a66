"""Versions, copies and files of workflows in the browser."""

import json

import pytest
from playwright.sync_api import expect

from tests.factories import make_agent, make_definition, make_task, make_workflow
from workflows.models import Workflow

without_scripts = pytest.mark.parametrize("javascript", [False])

LONG = "\n".join(f"{n}. Say what is known of part {n} of {{{{ input.topic }}}}." for n in range(20))


@pytest.fixture
def brief(alice, adam):
    """A workflow whose second version changed, added, removed and moved something."""
    agents = [make_agent(), make_agent("editor", instructions="Be brief.\nBe kind.")]
    tasks = [
        make_task("gather", description=LONG),
        make_task("check", "gather", name="A_name_that_no_phone_can_hold_in_one_line " * 3),
        make_task("report", "check"),
    ]
    workflow = make_workflow(
        alice, name="Market brief", definition=make_definition(*tasks, agents=agents)
    )
    agents[1] = make_agent("editor", instructions="Be brief.\nBe very kind.", temperature=0)
    tasks = [
        make_task("weigh", "gather", description="word" * 60),
        make_task("report", "weigh", agent_id="editor"),
        make_task("gather", description=LONG.replace("part 9 of", "side 9 of"), input={"a": [1]}),
    ]
    schema = {"type": "object", "properties": {"topic": {"type": "string"}}}
    workflow.revise(make_definition(*tasks, agents=agents, input_schema=schema), by=adam)
    return workflow


def test_from_a_workflow_to_an_old_version_of_it(page, sign_in, every_look, alice, brief):
    sign_in(alice)
    page.goto(f"/workflows/{brief.pk}")
    page.get_by_label("More actions").click()
    every_look(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Export as a file")).to_be_hidden()
    page.get_by_label("More actions").click()
    page.get_by_role("link", name="Versions").click()
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url("**/versions/1/diff/2")
    expect(page.locator("del", has_text="part")).to_be_visible()
    expect(page.locator("ins", has_text="side")).to_be_visible()
    every_look(page)
    page.get_by_role("link", name="Swap").click()
    page.wait_for_url("**/versions/2/diff/1")
    page.get_by_role("link", name="Version 1").click()
    page.get_by_role("button", name="Restore version 1").click()
    page.get_by_text("Its document is saved as a new version.").wait_for()
    every_look(page)
    page.get_by_role("button", name="Restore", exact=True).click()
    page.get_by_text("Version 1 is current again, as version 3.").wait_for()
    assert Workflow.objects.get().current_version.number == 3


@without_scripts
def test_versions_without_scripts(page, sign_in, alice, brief):
    sign_in(alice)
    page.goto(f"/workflows/{brief.pk}/versions")
    page.get_by_label("From version 2").check()
    page.get_by_label("To version 1").check()
    page.get_by_role("button", name="Compare").click()
    assert page.url.endswith("/versions/2/diff/1")
    page.goto(f"/workflows/{brief.pk}/versions")
    page.get_by_role("button", name="Restore version 1").click()
    expect(page.get_by_text("Version 1 is current again")).to_be_visible()
    page.get_by_label("More actions").click()
    page.get_by_role("button", name="Make a copy").click()
    expect(page.get_by_role("heading", name="Copy of Market brief")).to_be_visible()


def test_a_reader_makes_a_copy_to_change_or_run(page, sign_in, every_look, bob, brief):
    Workflow.objects.update(is_shared=True)
    sign_in(bob)
    page.goto(f"/workflows/{brief.pk}")
    every_look(page)
    page.get_by_role("button", name="Make a copy").click()
    page.get_by_role("heading", name="Copy of Market brief").wait_for()
    page.get_by_role("link", name="Run").first.wait_for()


def test_out_as_a_file_and_in_again(page, sign_in, every_look, alice, brief, tmp_path):
    sign_in(alice)
    page.goto(f"/workflows/{brief.pk}")
    page.get_by_label("More actions").click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Export as a file").click()
    saved = tmp_path / waiting.value.suggested_filename
    assert saved.name == "market-brief.json"
    waiting.value.save_as(saved)
    data = json.loads(saved.read_text())
    saved.write_text(json.dumps({**data, "tasks": data["tasks"][:1], "colour": "x" * 90}))

    page.goto("/workflows/import")
    page.get_by_label("File").set_input_files(saved)
    page.get_by_role("button", name="Import").click()
    page.get_by_text("Not imported: 2 things to correct").wait_for()
    every_look(page)
    text = page.get_by_label("Or paste its text")
    text.fill(text.input_value().replace('"dependencies": ["gather"]', '"dependencies": []'))
    text.fill(text.input_value().replace(f', "colour": "{"x" * 90}"', ""))
    page.get_by_role("button", name="Import").click()
    page.get_by_text("“Market brief” was imported.").wait_for()
    assert Workflow.objects.count() == 2
