from tests.factories import make_execution, make_workflow
from tests.workflows.pages.runs import make_run
from workflows.models import Execution


def url(run):
    return f"/executions/{run.pk}/cancel"


def test_cancels(browse, alice):
    run = make_execution(make_workflow(alice))
    response = browse(alice).post(url(run))
    assert response["Location"] == f"/executions/{run.pk}"
    assert Execution.objects.get().status == "cancelled"


def test_what_has_ended_stays_as_it_is(browse, alice):
    run = make_run(alice)
    response = browse(alice).post(url(run), follow=True)
    assert "already completed" in response.content.decode()
    assert Execution.objects.get().status == "completed"


def test_another_s_is_not_found(browse, alice, bob):
    run = make_execution(make_workflow(alice, is_shared=True))
    assert browse(bob).post(url(run)).status_code == 404
    assert Execution.objects.get().status == "pending"


def test_an_admin_may(browse, alice, adam):
    browse(adam).post(url(make_execution(make_workflow(alice))))
    assert Execution.objects.get().status == "cancelled"


def test_a_viewer_may_not(browse, alice):
    run = make_execution(make_workflow(alice))
    alice.role = "viewer"
    alice.save()
    assert browse(alice).post(url(run)).status_code == 403
    assert Execution.objects.get().status == "pending"


def test_strangers_sign_in_first(browse, alice):
    run = make_execution(make_workflow(alice))
    assert browse().post(url(run))["Location"].startswith("/signin")


def test_a_link_cancels_nothing(browse, alice):
    run = make_execution(make_workflow(alice))
    assert browse(alice).get(url(run)).status_code == 405
    assert Execution.objects.get().status == "pending"
