"""`POST /api/workflows/validate`: what creating would say, and nothing stored."""

import pytest

from tests.factories import make_agent, make_definition, make_task
from workflows.api.answers import CheckAnswer
from workflows.models import Workflow

URL = "/api/workflows/validate"


def body(**fields):
    return {"name": "Report", **make_definition(), **fields}


def test_valid(api, alice):
    answer = api(alice).post(URL, body(description="Weekly", status="draft", is_shared=True))

    assert answer.status_code == 200
    CheckAnswer.model_validate(answer.json())
    assert answer.json() == {"valid": True, "errors": []}
    assert not Workflow.objects.exists()


def test_what_only_the_server_sets_is_ignored(api, alice):
    assert api(alice).post(URL, body(id="x", owner={}, version=3)).json()["valid"] is True


@pytest.mark.parametrize(
    "fields",
    [
        {"name": " "},
        {"name": 5, "tasks": [make_task("a", "b", agent_id="nobody")]},
        {"colour": "red"},
        {"status": "running"},
        {"agents": {}, "is_shared": "yes"},
        {"tasks": [make_task("a", "b"), make_task("b", "a")]},
        {"tasks": []},
        {"agents": [make_agent(temperature=3)]},
        {"tasks": [make_task("a", description="{{ input.topik }}")], "input_schema": {}},
        {"input_schema": {"pattern": "(a+)+"}},
    ],
)
def test_says_what_creating_says(api, alice, fields):
    client = api(alice)
    refused = client.post("/api/workflows", body(**fields))

    answer = client.post(URL, body(**fields))

    if refused.status_code == 201:
        assert answer.json() == {"valid": True, "errors": []}
        return
    assert answer.status_code == 200
    CheckAnswer.model_validate(answer.json())
    assert answer.json() == {"valid": False, "errors": refused.json()["details"]["errors"]}


def test_nothing_at_all(api, alice):
    answer = api(alice).post(URL, {})

    assert {error["path"] for error in answer.json()["errors"]} == {"name", "agents", "tasks"}


def test_a_viewer_may_ask(api, vera):
    assert api(vera).post(URL, body()).json()["valid"] is True


def test_anonymous(api, db):
    assert api().post(URL, body()).status_code == 401


def test_wrong_method(api, alice):
    assert api(alice).get(URL).status_code == 405


@pytest.mark.parametrize(("raw", "status"), [(b"{", 400), (b"[]", 400), (b"[" * 90_000, 400)])
def test_what_is_no_json_object(api, alice, raw, status):
    answer = api(alice).generic("POST", URL, raw, content_type="application/json")

    assert answer.status_code == status
    assert answer.json()["error"]


def test_query_count(api, alice, django_assert_num_queries):
    client = api(alice)
    with django_assert_num_queries(1):  # the session
        client.post(URL, body())
