"""`GET /api/workflows/{id}/versions/{n}`: a version with its document."""

import pytest

from tests.factories import make_definition, make_task, make_workflow
from workflows.api.version_answers import VersionAnswer
from workflows.models import Workflow


@pytest.fixture
def workflow(alice):
    workflow = make_workflow(alice)
    workflow.revise(make_definition(make_task("only")), by=alice)
    return workflow


def url(workflow, number=1):
    return f"/api/workflows/{workflow.pk}/versions/{number}"


def test_read(api, alice, workflow):
    answer = api(alice).get(url(workflow))

    assert answer.status_code == 200
    data = answer.json()
    VersionAnswer.model_validate(data)
    assert (data["number"], data["is_current"], data["task_count"]) == (1, False, 2)
    assert [task["id"] for task in data["tasks"]] == ["gather", "report"]
    current = api(alice).get(url(workflow, 2)).json()
    assert (current["is_current"], current["tasks"][0]["id"]) == (True, "only")


@pytest.mark.parametrize("number", [0, 3, 2**31, 2**63, 10**30, "x", "-1", "1.0", "9" * 5_000])
def test_there_is_no_such_version(api, alice, workflow, number):
    assert api(alice).get(url(workflow, number)).status_code == 404


def test_another_workflow_s_version(api, alice, workflow):
    assert api(alice).get(url(make_workflow(alice), 2)).status_code == 404


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
    for method in ("put", "patch", "delete"):
        assert getattr(api(alice), method)(url(workflow), {}).status_code == 405


def test_query_count(api, alice, workflow, django_assert_num_queries):
    client = api(alice)
    with django_assert_num_queries(3):  # the session, the workflow, the version
        client.get(url(workflow))
