"""`POST /api/workflows/{id}/versions/{n}/restore`: an old document becomes current again."""

import pytest

from tests.factories import make_definition, make_execution, make_task, make_workflow
from workflows.api.version_answers import RestoreAnswer
from workflows.models import Workflow, WorkflowVersion


@pytest.fixture
def workflow(alice):
    workflow = make_workflow(alice)
    workflow.revise(make_definition(make_task("only")), by=alice)
    return workflow


def url(workflow, number=1):
    return f"/api/workflows/{workflow.pk}/versions/{number}/restore"


def test_restore(api, alice, workflow):
    answer = api(alice).post(url(workflow))

    assert answer.status_code == 200
    data = answer.json()
    RestoreAnswer.model_validate(data)
    assert (data["restored"], data["version"]) == (True, 3)
    assert [task["id"] for task in data["tasks"]] == ["gather", "report"]
    first, _, third = WorkflowVersion.objects.order_by("number")
    assert third.definition == first.definition
    assert third.created_by == alice


def test_the_current_document_is_left_alone(api, alice, workflow):
    client = api(alice)
    before = client.get(f"/api/workflows/{workflow.pk}").json()

    data = client.post(url(workflow, 2)).json()

    assert data == {**before, "restored": False}
    assert WorkflowVersion.objects.count() == 2


def test_an_equal_document_of_an_older_version_too(api, alice, workflow):
    client = api(alice)
    client.post(url(workflow))

    data = client.post(url(workflow)).json()

    assert (data["restored"], data["version"]) == (False, 3)


def test_it_restores_over_what_was_saved_meanwhile_and_loses_nothing(alice, workflow):
    stale = Workflow.objects.get(pk=workflow.pk)
    workflow.revise(make_definition(make_task("newest")), by=alice)

    version = stale.restore(1, by=alice)

    assert version.number == 4
    assert workflow.versions.get(number=3).definition["tasks"][0]["id"] == "newest"


def test_runs_under_way_keep_their_version(api, alice, workflow):
    run = make_execution(workflow)

    api(alice).post(url(workflow))

    run.refresh_from_db()
    assert run.version.number == 2


def test_an_old_document_that_is_not_valid_any_more(api, alice, workflow):
    broken = make_definition(make_task("a", "a"))
    WorkflowVersion.objects.filter(number=1).update(definition=broken)

    answer = api(alice).post(url(workflow))

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_definition")
    assert WorkflowVersion.objects.count() == 2


def test_there_is_no_such_version(api, alice, workflow):
    for number in (0, 3, 10**30):
        assert api(alice).post(url(workflow, number)).status_code == 404


def test_another_workflow_s_version(api, alice, workflow):
    assert api(alice).post(url(make_workflow(alice), 2)).status_code == 404


def test_outsider(api, bob, workflow):
    assert api(bob).post(url(workflow)).status_code == 404


def test_readers_may_not(api, bob, vera, workflow):
    Workflow.objects.update(is_shared=True)
    for user in (bob, vera):
        assert api(user).post(url(workflow)).status_code == 403
    assert WorkflowVersion.objects.count() == 2


def test_an_admin_may(api, adam, workflow):
    assert api(adam).post(url(workflow)).json()["restored"] is True
    assert WorkflowVersion.objects.get(number=3).created_by == adam


def test_anonymous(api, workflow):
    assert api().post(url(workflow)).status_code == 401


def test_wrong_method(api, alice, workflow):
    assert api(alice).get(url(workflow)).status_code == 405
