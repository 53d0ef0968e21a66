import pytest

from tests.factories import make_agent, make_definition, make_task, make_workflow
from tests.workflows.pages.forms import form_data, posted
from workflows.models import Workflow

RICH = make_definition(
    make_task("gather", input={"tone": "plain"}, max_retries=0, timeout_seconds=1.5),
    make_task("report", "gather", description="  Keep\n\nthis, {{ input.topic }}  \n"),
    agents=[
        make_agent(
            description="Knows facts",
            capabilities=["research"],
            fallbacks=["openai:gpt-5-mini"],
            key="main",
            instructions="\nBe brief.\n",
            temperature=0,
        )
    ],
    input_schema={"type": "object", "properties": {"topic": {"type": "string"}}},
)


def url(workflow):
    return f"/workflows/{workflow.pk}/edit"


def current(workflow):
    workflow = Workflow.objects.get(pk=workflow.pk)
    return workflow.current_version


def test_saving_what_is_there_changes_nothing(browse, alice):
    workflow = make_workflow(alice, definition=RICH)
    before = current(workflow).definition
    client = browse(alice)
    data = posted(client.get(url(workflow)))
    assert client.post(url(workflow), data).status_code == 302
    assert current(workflow).number == 1
    assert current(workflow).definition == before


def test_line_ends_of_browsers_are_no_change(browse, alice):
    workflow = make_workflow(alice, definition=RICH)
    client = browse(alice)
    data = {
        name: value.replace("\n", "\r\n") if isinstance(value, str) else value
        for name, value in posted(client.get(url(workflow))).items()
    }
    client.post(url(workflow), data)
    assert current(workflow).number == 1


def test_a_change_makes_a_version_and_keeps_what_the_form_does_not_show(browse, alice):
    workflow = make_workflow(alice, definition=RICH)
    client = browse(alice)
    data = posted(client.get(url(workflow))) | {"tasks-0-name": "Collect", "name": "New name"}
    client.post(url(workflow), data)
    version = current(workflow)
    assert version.number == 2
    assert version.created_by == alice
    assert version.definition["tasks"][0]["name"] == "Collect"
    assert version.definition["tasks"][0]["input"] == {"tone": "plain"}
    assert version.definition["agents"][0]["fallbacks"] == ["openai:gpt-5-mini"]
    assert Workflow.objects.get().name == "New name"


def test_a_change_beside_the_document_makes_no_version(browse, alice):
    workflow = make_workflow(alice)
    client = browse(alice)
    data = posted(client.get(url(workflow))) | {"status": "paused"}
    client.post(url(workflow), data)
    assert Workflow.objects.get().status == "paused"
    assert current(workflow).number == 1


def test_someone_else_s_save_is_not_overwritten(browse, alice, adam):
    workflow = make_workflow(alice)
    client = browse(alice)
    data = posted(client.get(url(workflow))) | {"tasks-0-name": "Mine"}
    theirs = make_definition(make_task("theirs"))
    Workflow.objects.get().revise(theirs, by=adam)
    response = client.post(url(workflow), data)
    page = response.content.decode()
    assert response.status_code == 409
    assert "Someone saved version 2" in page
    assert "Adam Example" in page
    assert response.context["editor"].tasks[0].row["name"] == "Mine"
    assert current(workflow).definition["tasks"][0]["id"] == "theirs"
    # On purpose, it may be.
    data = data | {"action": "overwrite", "version": "2"}
    assert client.post(url(workflow), data).status_code == 302
    assert current(workflow).number == 3
    assert current(workflow).definition["tasks"][0]["name"] == "Mine"


def test_a_script_is_told_of_the_conflict(browse, alice, adam):
    workflow = make_workflow(alice)
    client = browse(alice)
    data = posted(client.get(url(workflow)))
    Workflow.objects.get().revise(make_definition(make_task("theirs")), by=adam)
    answer = client.post(url(workflow), data, headers={"Accept": "application/json"})
    assert answer.status_code == 409
    assert answer.json()["version"] == 2
    assert "Someone saved version 2" in answer.json()["banner"]


@pytest.mark.parametrize("version", ["", "x", "-1", "99", "1" * 400])
def test_a_form_of_no_known_version_is_a_conflict_or_refused(browse, alice, version):
    workflow = make_workflow(alice)
    client = browse(alice)
    data = posted(client.get(url(workflow))) | {"tasks-0-name": "Mine", "version": version}
    assert client.post(url(workflow), data).status_code in {409, 422}
    assert current(workflow).number == 1


def test_a_failed_save_writes_nothing(browse, alice):
    workflow = make_workflow(alice, name="Old")
    client = browse(alice)
    data = posted(client.get(url(workflow))) | {"name": "New", "tasks-0-agent_id": "ghost"}
    assert client.post(url(workflow), data).status_code == 422
    assert Workflow.objects.get().name == "Old"


def test_a_reader_may_not(browse, alice, bob, vera):
    workflow = make_workflow(alice, is_shared=True)
    for reader in (bob, vera):
        assert browse(reader).get(url(workflow)).status_code == 403
        assert browse(reader).post(url(workflow), form_data()).status_code == 403


def test_another_s_is_not_found(browse, alice, bob):
    workflow = make_workflow(alice)
    assert browse(bob).get(url(workflow)).status_code == 404
    assert browse(bob).post(url(workflow), form_data()).status_code == 404


def test_an_admin_edits_without_becoming_the_owner(browse, alice, adam):
    workflow = make_workflow(alice)
    client = browse(adam)
    data = posted(client.get(url(workflow))) | {"tasks-0-name": "Better"}
    client.post(url(workflow), data)
    assert Workflow.objects.get().owner == alice
    assert current(workflow).created_by == adam


def test_strangers_sign_in_first(browse, alice):
    assert browse().get(url(make_workflow(alice)))["Location"].startswith("/signin")


def test_other_methods_are_refused(browse, alice):
    assert browse(alice).put(url(make_workflow(alice))).status_code == 405


def test_two_hundred_tasks_open(browse, alice, django_assert_num_queries):
    tasks = [make_task("first"), *(make_task(f"t{n}", "first") for n in range(199))]
    workflow = make_workflow(alice, definition=make_definition(*tasks))
    client = browse(alice)
    with django_assert_num_queries(4):
        response = client.get(url(workflow))
    assert len(response.context["editor"].tasks) == 200
    # Closed parts come without their fields, and none of their texts is lost.
    data = posted(response)
    opened = client.post(url(workflow), data | {"action": "open_task-150"})
    assert not opened.context["editor"].tasks[150].is_folded
    assert 'id="id_tasks-150-name"' in opened.content.decode()
    assert client.post(url(workflow), data).status_code == 302
    assert current(workflow).number == 1
