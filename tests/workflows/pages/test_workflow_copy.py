import pytest

from tests.factories import make_workflow
from workflows.models import Workflow


def url(workflow):
    return f"/workflows/{workflow.pk}/copy"


@pytest.fixture
def workflow(alice):
    return make_workflow(alice, is_shared=True)


def test_a_reader_gets_one_of_their_own(browse, bob, workflow):
    response = browse(bob).post(url(workflow), follow=True)

    made = Workflow.objects.get(owner=bob)
    assert response.redirect_chain == [(f"/workflows/{made.pk}", 302)]
    page = response.content.decode()
    assert "“Copy of Report” is yours to change and run." in page
    assert f"/workflows/{made.pk}/run" in page


def test_a_viewer_may_not(browse, vera, workflow):
    assert browse(vera).post(url(workflow)).status_code == 403
    assert Workflow.objects.count() == 1


def test_another_s_is_not_found(browse, alice, bob):
    assert browse(bob).post(url(make_workflow(alice))).status_code == 404


def test_strangers_sign_in_first(browse, workflow):
    assert browse().post(url(workflow))["Location"].startswith("/signin")


def test_a_link_copies_nothing(browse, alice, workflow):
    assert browse(alice).get(url(workflow)).status_code == 405
    assert Workflow.objects.count() == 1
