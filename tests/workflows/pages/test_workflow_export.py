import json

from tests.factories import make_workflow
from workflows.models import Workflow


def url(workflow):
    return f"/workflows/{workflow.pk}/export"


def test_the_same_file_as_the_api_s(browse, api, alice):
    workflow = make_workflow(alice, name="Weekly report")

    response = browse(alice).get(url(workflow))

    assert response["Content-Disposition"] == 'attachment; filename="weekly-report.json"'
    assert json.loads(response.content)["name"] == "Weekly report"
    assert response.content == api(alice).get(f"/api/workflows/{workflow.pk}/export").content


def test_readers(browse, alice, bob, vera):
    workflow = make_workflow(alice)
    for user in (bob, vera):
        assert browse(user).get(url(workflow)).status_code == 404
    Workflow.objects.update(is_shared=True)
    for user in (bob, vera):
        assert browse(user).get(url(workflow)).status_code == 200


def test_strangers_sign_in_first(browse, alice):
    assert browse().get(url(make_workflow(alice)))["Location"].startswith("/signin")


def test_other_methods_are_refused(browse, alice):
    assert browse(alice).post(url(make_workflow(alice))).status_code == 405
