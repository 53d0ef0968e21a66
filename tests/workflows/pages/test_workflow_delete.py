from tests.factories import make_execution, make_workflow
from tests.workflows.pages.runs import make_attempt, make_run
from workflows.models import Execution, SpendEntry, Workflow


def url(workflow):
    return f"/workflows/{workflow.pk}/delete"


def test_deletes_with_its_runs_and_keeps_the_ledger(browse, alice):
    run = make_run(alice)
    make_attempt(run, "gather")
    response = browse(alice).post(url(run.workflow))
    assert response["Location"] == "/workflows"
    assert not Workflow.objects.exists()
    assert not Execution.objects.exists()
    assert SpendEntry.objects.count() == 1


def test_not_while_it_runs(browse, alice):
    execution = make_execution(make_workflow(alice))
    response = browse(alice).post(url(execution.workflow), follow=True)
    assert Workflow.objects.exists()
    assert "has an execution under way" in response.content.decode()


def test_a_reader_may_not(browse, alice, bob, vera):
    workflow = make_workflow(alice, is_shared=True)
    assert browse(bob).post(url(workflow)).status_code == 403
    assert browse(vera).post(url(workflow)).status_code == 403
    assert Workflow.objects.exists()


def test_another_s_is_not_found(browse, alice, bob):
    assert browse(bob).post(url(make_workflow(alice))).status_code == 404


def test_an_admin_may(browse, alice, adam):
    browse(adam).post(url(make_workflow(alice)))
    assert not Workflow.objects.exists()


def test_strangers_sign_in_first(browse, alice):
    workflow = make_workflow(alice)
    assert browse().post(url(workflow))["Location"].startswith("/signin")
    assert Workflow.objects.exists()


def test_a_link_deletes_nothing(browse, alice):
    workflow = make_workflow(alice)
    assert browse(alice).get(url(workflow)).status_code == 405
    assert Workflow.objects.exists()
