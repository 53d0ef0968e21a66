import pytest

from tests.workflows.pages.forms import agent, form_data, task
from workflows.models import Workflow

URL = "/workflows/new"


def errors(response):
    """What the page says is wrong, by the id of the field that it is about."""
    return {target: message for _, message, target in response.context["editor"].errors}


def saved():
    """The one workflow's document."""
    return Workflow.objects.get().current_version.definition


def test_makes_a_workflow(browse, alice):
    response = browse(alice).post(URL, form_data(is_shared="on", cost_cap="0.25"))
    workflow = Workflow.objects.get()
    assert response["Location"] == f"/workflows/{workflow.pk}"
    assert workflow.owner == alice
    assert workflow.is_shared
    assert workflow.cost_cap == 0.25
    assert saved()["tasks"][1]["dependencies"] == ["gather"]
    assert saved()["agents"][0]["temperature"] == 0.7


def test_save_and_run_goes_on_to_the_run_form(browse, alice):
    response = browse(alice).post(URL, form_data(action="save_and_run"))
    assert response["Location"] == f"/workflows/{Workflow.objects.get().pk}/run"


def test_begins_with_one_agent_and_one_task(browse, alice):
    editor = browse(alice).get(URL).context["editor"]
    assert [form.row["id"] for form in editor.agents] == ["assistant"]
    assert [form.row["agent_id"] for form in editor.tasks] == ["assistant"]


def test_ids_come_from_names(browse, alice):
    data = {
        **agent(0, name="Größter Denker"),
        **agent(1, name="Größter Denker"),
        **task(0, name="Gather facts!", description="x", agent_id="#1"),
        **task(1, name="2nd", description="x", agent_id="#0", dependencies="Gather FACTS!"),
        "name": "Ids",
        "status": "active",
    }
    assert browse(alice).post(URL, data).status_code == 302
    assert [a["id"] for a in saved()["agents"]] == ["groter_denker", "groter_denker_2"]
    assert [t["id"] for t in saved()["tasks"]] == ["gather_facts", "task_2"]
    assert [t["agent_id"] for t in saved()["tasks"]] == ["groter_denker_2", "groter_denker"]
    assert saved()["tasks"][1]["dependencies"] == ["gather_facts"]


def test_row_numbers_may_have_gaps(browse, alice):
    data = form_data(**task(7, name="Last", id="last", description="x", agent_id="writer"))
    browse(alice).post(URL, data)
    assert [t["id"] for t in saved()["tasks"]] == ["gather", "report", "last"]


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"name": ""}, "id_name", "This field is required."),
        ({"cost_cap": "-1"}, "id_cost_cap", "greater than or equal to 0"),
        ({"cost_cap": "much"}, "id_cost_cap", "Enter a number."),
        ({"agents-0-name": ""}, "id_agents-0-name", "must not be blank"),
        ({"agents-0-provider": "mystery"}, "id_agents-0-provider", "Choose one of"),
        ({"agents-0-temperature": "hot"}, "id_agents-0-temperature", "must be a number"),
        ({"agents-0-temperature": "3"}, "id_agents-0-temperature", "at most 2"),
        ({"agents-0-max_tokens": "1.5"}, "id_agents-0-max_tokens", "whole number"),
        ({"agents-0-max_tokens": "NaN"}, "id_agents-0-max_tokens", "NaN and Infinity"),
        ({"agents-0-id": "no spaces"}, "id_agents-0-id", "Begin with a letter"),
        ({"agents-0-extra": "{"}, "id_agents-0-extra", "Not JSON"),
        ({"agents-0-extra": "[]"}, "id_agents-0-extra", "must be a JSON object"),
        ({"agents-0-extra": '{"x": 1}'}, "id_agents-0-extra", 'no field "x"'),
        ({"agents-0-extra": '{"fallbacks": ["x"]}'}, "id_agents-0-extra", "fallbacks[0]: Write"),
        ({"tasks-0-description": ""}, "id_tasks-0-description", "must not be blank"),
        ({"tasks-1-agent_id": "ghost"}, "id_tasks-1-agent_id", 'no agent "ghost"'),
        ({"tasks-1-id": "gather"}, "id_tasks-1-id", "already the id"),
        ({"tasks-1-dependencies": "ghost"}, "id_tasks-1-dependencies", 'no task "ghost"'),
        ({"tasks-1-dependencies": "report"}, "id_tasks-1-dependencies", "wait for itself"),
        ({"tasks-0-dependencies": "report"}, "id_tasks-0-dependencies", "wait for each other"),
        ({"tasks-1-timeout_seconds": "0"}, "id_tasks-1-timeout_seconds", "at least 1"),
        (
            {"tasks-1-description": "{{ tasks.ghost.output }}"},
            "id_tasks-1-description",
            'no task "ghost"',
        ),
        ({"input_schema": "{"}, "id_input_schema", "Not JSON"),
        ({"input_schema": '{"type": "array"}'}, "id_input_schema", "an object"),
        ({"input_schema": "[" * 100_000}, "id_input_schema", "nested too deep"),
    ],
)
def test_says_what_is_wrong_where_it_is(browse, alice, change, field, sentence):
    data = form_data(**change)
    response = browse(alice).post(URL, data)
    assert response.status_code == 422
    assert sentence in errors(response)[field]
    page = response.content.decode()
    assert f'href="#{field}"' in page
    assert f'id="{field}_error"' in page
    assert not Workflow.objects.exists()
    # Nothing that was typed is lost.
    editor = response.context["editor"]
    for name, value in data.items():
        kind, _, rest = name.partition("-")
        if rest:
            number, _, key = rest.partition("-")
            assert getattr(editor, kind)[int(number)].form[key].value() == value


def test_a_document_without_tasks_is_refused(browse, alice):
    data = {name: value for name, value in form_data().items() if not name.startswith("tasks")}
    response = browse(alice).post(URL, data)
    assert response.status_code == 422
    assert "Add at least one task." in response.content.decode()


def test_buttons_add_and_remove_without_scripts(browse, alice):
    client = browse(alice)
    data = form_data(name="", action="add_task")
    response = client.post(URL, data)
    editor = response.context["editor"]
    assert response.status_code == 200
    assert [form.row["name"] for form in editor.tasks] == ["Gather", "Report", ""]
    assert editor.tasks[2].row["agent_id"] == "writer"
    assert editor.tasks[2].is_open
    # Nobody has asked to save yet.
    assert "This field is required" not in response.content.decode()
    editor = client.post(URL, form_data(action="add_agent")).context["editor"]
    assert len(editor.agents) == 2
    editor = client.post(URL, form_data(action="remove_task-0")).context["editor"]
    assert [form.row["id"] for form in editor.tasks] == ["report"]
    assert editor.tasks[0].row["dependencies"] == ""
    editor = client.post(URL, form_data(action="remove_agent-0")).context["editor"]
    assert editor.agents == []
    assert not Workflow.objects.exists()


def test_buttons_copy_and_move_without_scripts(browse, alice):
    client = browse(alice)

    def names(action, kind="tasks"):
        editor = client.post(URL, form_data(action=action)).context["editor"]
        return [form.row["name"] for form in getattr(editor, kind)]

    assert names("duplicate_task-0") == ["Gather", "Gather copy", "Report"]
    assert names("down_task-0") == ["Report", "Gather"]
    assert names("up_task-1") == ["Report", "Gather"]
    assert names("up_task-0") == ["Gather", "Report"]
    assert names("down_task-1") == ["Gather", "Report"]
    assert names("duplicate_agent-0", "agents") == ["Writer", "Writer copy"]
    editor = client.post(URL, form_data(action="duplicate_task-1")).context["editor"]
    copy = editor.tasks[2].row
    assert (copy["id"], copy["dependencies"]) == ("report_copy", "gather")
    assert editor.tasks[2].is_open


def test_rows_are_in_the_order_that_was_posted(browse, alice):
    data = form_data(**task(7, name="Last", id="last", description="x", agent_id="writer"))
    browse(alice).post(URL, data | {"tasks-order": "7,x,1,99"})
    assert [t["id"] for t in saved()["tasks"]] == ["last", "report", "gather"]


def test_a_script_saves_in_place(browse, alice):
    client = browse(alice)
    refused = client.post(URL, form_data(name=""), headers={"Accept": "application/json"})
    assert refused.status_code == 422
    assert refused.json() == {"errors": [["Name", "This field is required.", "id_name"]]}
    answer = client.post(URL, form_data(), headers={"Accept": "application/json"})
    workflow = Workflow.objects.get()
    assert answer.json() == {"url": f"/workflows/{workflow.pk}", "version": 1}


@pytest.mark.parametrize(
    "action",
    [
        "up_task-9",
        "duplicate_agent-1",
        "remove_task-9",
        "remove_task-",
        "remove_x-1",
        "add_",
        "nonsense",
        "remove_task-٣",
    ],
)
def test_odd_actions_change_nothing(browse, alice, action):
    response = browse(alice).post(URL, form_data(action=action))
    assert response.status_code == 200
    assert len(response.context["editor"].tasks) == 2


def test_draws_the_graph_of_what_is_typed(browse, alice):
    data = form_data(**{"tasks-0-dependencies": "report", "name": ""})
    response = browse(alice).post(URL, data)
    # A circle cannot be drawn, so it is left open.
    assert all(not node.dependencies for node in response.context["nodes"])


def test_a_posted_owner_is_ignored(browse, alice, bob):
    browse(alice).post(URL, form_data(owner=str(bob.pk), id="1", created_at="2020-01-01"))
    assert Workflow.objects.get().owner == alice


def test_a_viewer_may_not(browse, vera):
    assert browse(vera).get(URL).status_code == 403
    assert browse(vera).post(URL, form_data()).status_code == 403
    assert not Workflow.objects.exists()


def test_strangers_sign_in_first(browse, db):
    assert browse().post(URL, form_data())["Location"].startswith("/signin")


def test_other_methods_are_refused(browse, alice):
    assert browse(alice).delete(URL).status_code == 405


def test_what_people_type_is_text(browse, alice):
    evil = "</textarea><script>alert(1)</script>"
    response = browse(alice).post(URL, form_data(**{"tasks-0-description": evil, "name": ""}))
    assert "<script>alert" not in response.content.decode()
