"""`GET /api/workflows/{id}/versions/{n}/diff/{m}`: what changed."""

import pytest

from tests.factories import make_definition, make_task, make_workflow
from workflows.api.version_answers import DiffAnswer
from workflows.models import Workflow


@pytest.fixture
def workflow(alice):
    workflow = make_workflow(alice)
    tasks = [make_task("gather", description="Do gather well."), make_task("check", "gather")]
    workflow.revise(make_definition(*tasks), by=alice)
    return workflow


def url(workflow, before=1, after=2):
    return f"/api/workflows/{workflow.pk}/versions/{before}/diff/{after}"


def test_diff(api, alice, workflow):
    answer = api(alice).get(url(workflow))

    assert answer.status_code == 200
    data = answer.json()
    DiffAnswer.model_validate(data)
    assert (data["before"], data["after"]) == (1, 2)
    assert data["counts"] == {"added": 1, "removed": 1, "changed": 1, "moved": 0}
    removed, changed, added = data["changes"]
    assert (removed["kind"], removed["path"]) == ("removed", "tasks[1]")
    assert (removed["subject"], removed["before"]["id"]) == ("Task “Report”", "report")
    assert (added["kind"], added["subject"], added["field"]) == ("added", "Task “Check”", "")
    assert (changed["path"], changed["field"]) == ("tasks[0].description", "description")
    assert (changed["before"], changed["after"]) == ("Do gather.", "Do gather well.")
    assert changed["text"] == [
        {"kind": "same", "text": "Do gather"},
        {"kind": "added", "text": " well"},
        {"kind": "same", "text": "."},
    ]


def test_the_other_way_round(api, alice, workflow):
    data = api(alice).get(url(workflow, 2, 1)).json()

    assert (data["before"], data["after"]) == (2, 1)
    assert data["changes"][0]["subject"] == "Task “Check”"
    assert data["changes"][0]["kind"] == "removed"


def test_with_itself(api, alice, workflow):
    data = api(alice).get(url(workflow, 2, 2)).json()

    assert data["changes"] == []
    assert sum(data["counts"].values()) == 0


@pytest.mark.parametrize("pair", [(1, 3), (3, 1), (0, 1), (1, 10**30)])
def test_there_is_no_such_version(api, alice, workflow, pair):
    assert api(alice).get(url(workflow, *pair)).status_code == 404


def test_readers(api, workflow, bob, vera, adam):
    assert api(adam).get(url(workflow)).status_code == 200
    for user in (bob, vera):
        assert api(user).get(url(workflow)).status_code == 404
    Workflow.objects.update(is_shared=True)
    for user in (bob, vera):
        assert api(user).get(url(workflow)).status_code == 200


def test_anonymous(api, workflow):
    assert api().get(url(workflow)).status_code == 401


def test_wrong_method(api, alice, workflow):
    assert api(alice).post(url(workflow), {}).status_code == 405


def test_query_count(api, alice, workflow, django_assert_num_queries):
    client = api(alice)
    with django_assert_num_queries(4):  # the session, the workflow, both versions
        client.get(url(workflow))
