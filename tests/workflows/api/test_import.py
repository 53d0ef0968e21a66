"""`POST /api/workflows/import`: a workflow from a file."""

import json

import pytest
from hypothesis import given

from tests.factories import make_agent, make_definition, make_task, make_workflow
from tests.workflows.documents import NAME, SLOW, TEXT, documents
from workflows import definition, portable
from workflows.api.answers import WorkflowAnswer
from workflows.models import Workflow

URL = "/api/workflows/import"


def file(**fields):
    return {"hummbl": 1, "name": "Report", "description": "", **make_definition(), **fields}


def test_import(api, alice, bob):
    exported = api(alice).get(f"/api/workflows/{make_workflow(alice).pk}/export").content

    answer = api(bob).generic("POST", URL, exported, content_type="application/json")

    assert answer.status_code == 201
    WorkflowAnswer.model_validate(answer.json())
    workflow = Workflow.objects.get(owner=bob)
    assert answer["Location"] == f"/api/workflows/{workflow.pk}"
    assert (workflow.name, workflow.status, workflow.is_shared) == ("Report", "active", False)
    assert workflow.cost_cap is None
    assert answer.json()["version"] == 1


@SLOW
@given(document=documents(), name=NAME, description=TEXT)
def test_what_comes_out_goes_in_unchanged(alice, document, name, description):
    workflow = make_workflow(alice, name=name, description=description, definition=document)
    workflow.refresh_from_db()

    exported = portable.to_bytes(workflow, schema_url="https://example.com/schema")
    imported = portable.import_workflow(alice, json.loads(exported))
    imported = Workflow.objects.get(pk=imported.pk)

    wanted = definition.without_keys(workflow.current_version.definition)
    assert imported.current_version.definition == wanted
    assert (imported.name, imported.description) == (name, description)
    assert portable.to_bytes(imported, schema_url="https://example.com/schema") == exported


def test_a_file_without_name_and_number(api, alice):
    answer = api(alice).post(URL, make_definition())

    assert answer.status_code == 201
    assert answer.json()["name"] == "Imported workflow"


def test_key_names_do_not_come_along(api, alice):
    answer = api(alice).post(URL, file(agents=[make_agent(key="company-card")]))

    assert answer.json()["agents"][0]["key"] is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (2, "a newer version of HUMMBL wrote"),
        (0, "reads format 1"),
        ("1", "reads format 1"),
        (True, "reads format 1"),
        (None, "reads format 1"),
    ],
)
def test_another_format(api, alice, given, said):
    answer = api(alice).post(URL, file(hummbl=given, name=5))

    assert answer.status_code == 400
    (error,) = answer.json()["details"]["errors"]
    assert (error["path"], error["code"]) == ("hummbl", "unknown_format")
    assert said in error["message"]
    assert not Workflow.objects.exists()


@pytest.mark.parametrize(
    ("fields", "path", "code"),
    [
        ({"owner": "alice"}, "owner", "unknown_field"),
        ({"status": "draft"}, "status", "unknown_field"),
        ({"id": "x"}, "id", "unknown_field"),
        ({"name": ""}, "name", "blank"),
        ({"name": "x" * 201}, "name", "too_long"),
        ({"description": None}, "description", "wrong_type"),
        ({"$schema": 5}, "$schema", "wrong_type"),
        ({"agents": [make_agent(secret="sk")]}, "agents[0].secret", "unknown_field"),
        ({"tasks": [make_task("a", "b")]}, "tasks[0].dependencies[0]", "unknown_dependency"),
        ({"tasks": [make_task("a", "a")]}, "tasks[0].dependencies[0]", "self_dependency"),
        ({"input_schema": {"$ref": "file:///etc/passwd"}}, "input_schema.$ref", None),
    ],
)
def test_refused(api, alice, fields, path, code):
    answer = api(alice).post(URL, file(**fields))

    assert answer.status_code == 400
    errors = answer.json()["details"]["errors"]
    assert [error["path"] for error in errors] == [path]
    assert code in (None, errors[0]["code"])
    assert not Workflow.objects.exists()


def test_all_problems_at_once(api, alice):
    answer = api(alice).post(URL, {"nmae": "x", "agents": [], "tasks": [make_task("a")]})

    errors = {error["path"]: error["message"] for error in answer.json()["details"]["errors"]}
    assert set(errors) == {"nmae", "tasks[0].agent_id"}
    assert 'Did you mean "name"?' in errors["nmae"]


def test_an_empty_body(api, alice):
    answer = api(alice).post(URL, {})

    assert {error["path"] for error in answer.json()["details"]["errors"]} == {"agents", "tasks"}


@pytest.mark.parametrize("data", [[], "text", None, {"name": "a\0b", **make_definition()}])
def test_what_no_body_can_hold_is_refused_by_the_function_too(alice, data):
    with pytest.raises(definition.DefinitionError):
        portable.import_workflow(alice, data)


def test_a_viewer_may_not(api, vera):
    answer = api(vera).post(URL, {"nonsense": 1})

    assert (answer.status_code, answer.json()["code"]) == (403, "read_only_role")


def test_anonymous(api, db):
    assert api().post(URL, file()).status_code == 401


def test_wrong_method(api, alice):
    assert api(alice).get(URL).status_code == 405
