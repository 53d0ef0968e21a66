"""`/api/workflows`: list and create."""

import json

import pytest

from tests.factories import make_definition, make_task, make_workflow
from workflows.api.answers import WorkflowAnswer, WorkflowRow
from workflows.models import Workflow

URL = "/api/workflows"


def body(**fields):
    return {"name": "Report", **make_definition(), **fields}


def post_raw(client, raw):
    return client.generic("POST", URL, raw, content_type="application/json")


def test_create(api, alice):
    answer = api(alice).post(URL, body(description="Weekly", is_shared=True))

    assert answer.status_code == 201
    workflow = Workflow.objects.get()
    assert answer["Location"] == f"/api/workflows/{workflow.pk}"
    assert (workflow.owner, workflow.name, workflow.is_shared) == (alice, "Report", True)
    data = answer.json()
    WorkflowAnswer.model_validate(data)
    assert data["id"] == str(workflow.pk)
    assert (data["version"], data["status"]) == (1, "active")
    assert data["owner"] == {"id": str(alice.pk), "name": "Alice Example"}
    assert data["tasks"][1]["dependencies"] == ["gather"]
    assert data["tasks"][0]["timeout_seconds"] == 120
    assert data["created_at"].endswith("Z")


def test_anonymous(api, db):
    for answer in (api().get(URL), api().post(URL, body())):
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == "Bearer"
        assert answer.json()["code"]


def test_viewer_reads_but_does_not_create(api, alice, vera):
    make_workflow(alice, is_shared=True)

    assert len(api(vera).get(URL).json()["results"]) == 1
    answer = api(vera).post(URL, {"nonsense": 1})
    assert (answer.status_code, answer.json()["code"]) == (403, "read_only_role")


def test_wrong_method(api, alice):
    assert api(alice).delete(URL).status_code == 405
    assert api(alice).put(URL, body()).status_code == 405


@pytest.mark.parametrize(
    ("fields", "path", "code"),
    [
        ({"name": 5}, "name", "wrong_type"),
        ({"name": " "}, "name", "blank"),
        ({"name": "x" * 201}, "name", "too_long"),
        ({"description": None}, "description", "wrong_type"),
        ({"is_shared": "true"}, "is_shared", "wrong_type"),
        ({"is_shared": 1}, "is_shared", "wrong_type"),
        ({"status": "running"}, "status", "invalid_choice"),
        ({"colour": "red"}, "colour", "unknown_field"),
        ({"agents": {}}, "agents", "wrong_type"),
        ({"tasks": [make_task("a", "b")]}, "tasks[0].dependencies[0]", "unknown_dependency"),
        (
            {"tasks": [make_task("a", "b"), make_task("b", "a")]},
            "tasks[0].dependencies[0]",
            "cycle",
        ),
        ({"tasks": [make_task(f"t{n}") for n in range(501)]}, "tasks", "too_many_tasks"),
        ({"input_schema": {"pattern": "(a+)+"}}, "input_schema.pattern", "unsupported_keyword"),
    ],
)
def test_bad_body(api, alice, fields, path, code):
    answer = api(alice).post(URL, body(**fields))

    assert answer.status_code == 400
    errors = answer.json()["details"]["errors"]
    assert [(error["path"], error["code"]) for error in errors] == [(path, code)]
    assert answer.json()["error"]
    assert not Workflow.objects.exists()


def test_all_problems_at_once(api, alice):
    answer = api(alice).post(URL, body(name=1, tasks=[make_task("a", "b", agent_id="nobody")]))

    assert {error["path"] for error in answer.json()["details"]["errors"]} == {
        "name",
        "tasks[0].agent_id",
        "tasks[0].dependencies[0]",
    }


def test_missing_parts(api, alice):
    answer = api(alice).post(URL, {})

    assert answer.status_code == 400
    assert {error["path"] for error in answer.json()["details"]["errors"]} == {
        "name",
        "agents",
        "tasks",
    }


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b'"text"', 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 100_000, 400),
        (b'{"name": NaN}', 400),
        (b'{"name": Infinity}', 400),
        (b'{"name": "\xff"}', 400),
        (json.dumps(body(name="a\0b")).encode(), 400),
        (json.dumps(body(name="\ud800")).encode(), 400),
        (b'{"name": "' + b"x" * 1_100_000 + b'"}', 413),
    ],
)
def test_hostile_bytes(api, alice, raw, status):
    answer = post_raw(api(alice), raw)

    assert answer.status_code == status
    assert answer.json()["error"]
    assert not Workflow.objects.exists()


def test_server_set_fields_are_ignored(api, alice, bob):
    forged = {
        "id": "00000000-0000-0000-0000-000000000001",
        "owner": {"id": str(bob.pk), "name": "Bob"},
        "version": 7,
    }

    data = api(alice).post(URL, body(**forged)).json()

    assert data["owner"]["id"] == str(alice.pk)
    assert (data["version"], data["id"] != forged["id"]) == (1, True)


def test_list_shows_own_and_shared(api, alice, bob, vera, adam):
    make_workflow(alice, name="Mine")
    make_workflow(bob, name="Shared", is_shared=True)
    make_workflow(bob, name="Private")

    def names(user):
        return [row["name"] for row in api(user).get(URL).json()["results"]]

    assert names(alice) == ["Shared", "Mine"]
    assert names(bob) == ["Private", "Shared"]
    assert names(vera) == ["Shared"]
    assert names(adam) == ["Private", "Shared", "Mine"]


def test_rows_are_light(api, alice):
    make_workflow(alice)

    (row,) = api(alice).get(URL).json()["results"]

    WorkflowRow.model_validate(row)
    assert row["task_count"] == 2
    assert "tasks" not in row


def test_filters(api, alice):
    make_workflow(alice, name="Weekly report")
    make_workflow(alice, name="Draft", status="draft", description="a REPORT too")
    make_workflow(alice, name="100% other")

    def names(query):
        return [row["name"] for row in api(alice).get(f"{URL}?{query}").json()["results"]]

    assert names("q=report") == ["Draft", "Weekly report"]
    assert names("q=report&status=draft") == ["Draft"]
    assert names("q=100%25") == ["100% other"]
    assert names("q=%25") == ["100% other"]
    assert names("status=archived") == []
    assert len(names("q=&status=")) == 3


def test_filters_by_owner_and_sharing(api, alice, bob, adam):
    make_workflow(alice, name="Mine")
    make_workflow(alice, name="Mine, shared", is_shared=True)
    make_workflow(bob, name="Theirs, shared", is_shared=True)

    def names(query, user=alice):
        return [row["name"] for row in api(user).get(f"{URL}?{query}").json()["results"]]

    assert names("owner=me") == ["Mine, shared", "Mine"]
    assert names("owner=me", adam) == []
    assert names("shared=true") == ["Theirs, shared", "Mine, shared"]
    assert names("shared=false") == ["Mine"]
    assert names("shared=true&owner=me&q=mine&status=active") == ["Mine, shared"]
    assert len(names("owner=&shared=")) == 3


@pytest.mark.parametrize(
    "query",
    [
        "owner=bob",
        "shared=1",
        "shared=True",
        "status=nope",
        "ordering=name",
        "statu=draft",
        "q=%00",
        "limit=101",
        "limit=x",
        "cursor=x",
    ],
)
def test_bad_query(api, alice, query):
    answer = api(alice).get(f"{URL}?{query}")

    assert answer.status_code == 400
    assert answer.json()["details"]["errors"][0]["path"] == query.split("=")[0]


def test_pages(api, alice):
    for number in range(5):
        make_workflow(alice, name=f"W{number}")
    client = api(alice)

    first = client.get(f"{URL}?limit=2").json()
    second = client.get(first["next"]).json()

    assert [row["name"] for row in first["results"]] == ["W4", "W3"]
    assert [row["name"] for row in second["results"]] == ["W2", "W1"]
    assert [row["name"] for row in client.get(second["previous"]).json()["results"]] == ["W4", "W3"]


def test_query_count_is_constant(api, alice, django_assert_num_queries):
    client = api(alice)
    make_workflow(alice)
    with django_assert_num_queries(2):  # the session, the rows
        client.get(URL)
    for _ in range(4):
        make_workflow(alice)
    with django_assert_num_queries(2):
        assert len(client.get(URL).json()["results"]) == 5
