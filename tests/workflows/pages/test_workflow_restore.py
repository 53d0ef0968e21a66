import pytest

from tests.factories import make_definition, make_task, make_workflow
from workflows.models import Workflow, WorkflowVersion


def url(workflow, number=1):
    return f"/workflows/{workflow.pk}/versions/{number}/restore"


@pytest.fixture
def workflow(alice):
    workflow = make_workflow(alice)
    workflow.revise(make_definition(make_task("only")), by=alice)
    return workflow


def test_restores(browse, alice, workflow):
    response = browse(alice).post(url(workflow), follow=True)

    assert response.redirect_chain[0][0] == f"/workflows/{workflow.pk}"
    assert "Version 1 is current again, as version 3." in response.content.decode()
    workflow.refresh_from_db()
    assert len(workflow.current_version.definition["tasks"]) == 2


def test_the_current_one(browse, alice, workflow):
    response = browse(alice).post(url(workflow, 2), follow=True)

    assert "Version 2 is the same as the current one." in response.content.decode()
    assert WorkflowVersion.objects.count() == 2


def test_an_old_document_that_is_not_valid_any_more(browse, alice, workflow):
    broken = make_definition(make_task("a", "a"))
    WorkflowVersion.objects.filter(number=1).update(definition=broken)

    response = browse(alice).post(url(workflow), follow=True)

    assert "Version 1 cannot be restored." in response.content.decode()
    assert WorkflowVersion.objects.count() == 2


def test_there_is_no_such_version(browse, alice, workflow):
    assert browse(alice).post(url(workflow, 9)).status_code == 404


def test_a_reader_may_not(browse, bob, vera, workflow):
    Workflow.objects.update(is_shared=True)
    for reader in (bob, vera):
        assert browse(reader).post(url(workflow)).status_code == 403
    assert WorkflowVersion.objects.count() == 2


def test_another_s_is_not_found(browse, bob, workflow):
    assert browse(bob).post(url(workflow)).status_code == 404


def test_strangers_sign_in_first(browse, workflow):
    assert browse().post(url(workflow))["Location"].startswith("/signin")


def test_a_link_restores_nothing(browse, alice, workflow):
    assert browse(alice).get(url(workflow)).status_code == 405
    assert WorkflowVersion.objects.count() == 2
