"""`/api/workflows/{id}`: read, replace, change, delete."""

import pytest

from tests.factories import make_agent, make_definition, make_execution, make_task, make_workflow
from workflows.api.answers import WorkflowAnswer
from workflows.models import Execution, Workflow, WorkflowVersion


@pytest.fixture
def workflow(alice):
    return make_workflow(alice)


@pytest.fixture
def url(workflow):
    return f"/api/workflows/{workflow.pk}"


def body(**fields):
    return {"name": "Report", **make_definition(), **fields}


def test_read(api, alice, url, workflow):
    answer = api(alice).get(url)

    assert answer.status_code == 200
    WorkflowAnswer.model_validate(answer.json())
    assert answer.json()["id"] == str(workflow.pk)
    assert answer.json()["agents"][0]["temperature"] == 0.7


def test_query_count(api, alice, url, django_assert_num_queries):
    client = api(alice)
    with django_assert_num_queries(2):  # the session, the workflow
        client.get(url)


def test_anonymous(api, url):
    for method in ("get", "put", "patch", "delete"):
        answer = getattr(api(), method)(url)
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


def test_outsider_gets_404_whatever_the_body(api, bob, vera, url):
    for user in (bob, vera):
        client = api(user)
        assert client.get(url).status_code == 404
        assert client.delete(url).status_code == 404
        for method in ("PUT", "PATCH"):
            answer = client.generic(method, url, b"{nonsense", content_type="application/json")
            assert answer.status_code == 404
            assert answer.json()["code"] == "not_found"


def test_reader_of_a_shared_workflow_gets_403(api, bob, vera, url, workflow):
    Workflow.objects.filter(pk=workflow.pk).update(is_shared=True)

    for user in (bob, vera):
        client = api(user)
        assert client.get(url).status_code == 200
        for method in ("put", "patch"):
            assert getattr(client, method)(url, {"nonsense": 1}).status_code == 403
        assert client.delete(url).status_code == 403
    assert Workflow.objects.exists()


def test_admin_manages_everything(api, adam, alice, url):
    answer = api(adam).patch(url, {"name": "Renamed"})

    assert answer.json()["name"] == "Renamed"
    assert answer.json()["owner"]["id"] == str(alice.pk)
    assert api(adam).delete(url).status_code == 204


def test_an_address_that_is_no_id(api, alice):
    assert api(alice).get("/api/workflows/1").status_code == 404
    assert api(alice).get("/api/workflows/1").json()["code"] == "not_found"


def test_wrong_method(api, alice, url):
    assert api(alice).post(url, {}).status_code == 405


def test_patch_leaves_the_rest(api, alice, url, workflow):
    answer = api(alice).patch(url, {"status": "paused", "is_shared": True})

    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["is_shared"]) == ("paused", True)
    assert (answer.json()["name"], answer.json()["version"]) == ("Report", 1)
    assert WorkflowVersion.objects.count() == 1


def test_patch_replaces_a_part_of_the_document(api, alice, url):
    answer = api(alice).patch(url, {"agents": [make_agent(temperature=0)]})

    assert answer.json()["version"] == 2
    assert answer.json()["agents"][0]["temperature"] == 0
    assert [task["id"] for task in answer.json()["tasks"]] == ["gather", "report"]


def test_patch_that_breaks_the_document_changes_nothing(api, alice, url, workflow):
    answer = api(alice).patch(url, {"name": "New", "agents": []})

    assert answer.status_code == 400
    assert {error["code"] for error in answer.json()["details"]["errors"]} == {"unknown_agent"}
    workflow.refresh_from_db()
    assert workflow.name == "Report"


def test_an_equal_document_is_no_new_version(api, alice, url):
    client = api(alice)
    read = client.get(url).json()

    answer = client.put(url, read)

    assert answer.status_code == 200
    assert answer.json()["version"] == 1
    assert {**answer.json(), "updated_at": ""} == {**read, "updated_at": ""}


def test_put_replaces_everything(api, alice, url):
    client = api(alice)
    client.patch(url, {"description": "x", "input_schema": {"type": "object"}})

    data = client.put(url, body(name="New", tasks=[make_task("only")])).json()

    assert (data["name"], data["description"], data["input_schema"]) == ("New", "", None)
    assert [task["id"] for task in data["tasks"]] == ["only"]
    assert data["version"] == 3


@pytest.mark.parametrize(
    ("method", "sent", "path"),
    [
        ("put", {}, "name"),
        ("put", {"name": "x"}, "agents"),
        ("put", {"name": "x", **make_definition(), "x": 1}, "x"),
        ("patch", {"name": None}, "name"),
        ("patch", {"name": ""}, "name"),
        ("patch", {"tasks": [make_task("a", "a")]}, "tasks[0].dependencies[0]"),
        ("patch", {"nmae": "x"}, "nmae"),
    ],
)
def test_bad_body(api, alice, url, method, sent, path):
    answer = getattr(api(alice), method)(url, sent)

    assert answer.status_code == 400
    assert path in {error["path"] for error in answer.json()["details"]["errors"]}
    assert WorkflowVersion.objects.count() == 1


def test_delete(api, alice, url, workflow):
    make_execution(workflow).cancel(by=alice)

    assert api(alice).delete(url).status_code == 204
    assert not Workflow.objects.exists()
    assert not Execution.objects.exists()
    assert api(alice).get(url).status_code == 404


def test_delete_while_it_runs(api, alice, url, workflow):
    make_execution(workflow)

    answer = api(alice).delete(url)

    assert (answer.status_code, answer.json()["code"]) == (409, "execution_under_way")
    assert Workflow.objects.exists()
