from tests.workflows.pages.forms import form_data, task
from workflows.models import Workflow

URL = "/workflows/check"


def test_says_what_is_wrong_by_field_and_stores_nothing(browse, alice):
    data = form_data(**{"name": "", "tasks-1-dependencies": "ghost"})
    response = browse(alice).post(URL, data)
    assert response.status_code == 200
    assert [target for _, _, target in response.json()["errors"]] == [
        *("id_name", "id_tasks-1-dependencies")
    ]
    assert not Workflow.objects.exists()


def test_a_valid_form_has_nothing_to_correct(browse, alice):
    assert browse(alice).post(URL, form_data()).json() == {"errors": []}
    assert not Workflow.objects.exists()


def test_places_are_those_of_the_order_on_the_page(browse, alice):
    data = form_data(**task(5, id="last", name="", description="x", agent_id="writer"))
    response = browse(alice).post(URL, data | {"tasks-order": "5,1,0"})
    assert [target for _, _, target in response.json()["errors"]] == ["id_tasks-0-name"]


def test_a_viewer_may_not(browse, vera):
    assert browse(vera).post(URL, form_data()).status_code == 403


def test_strangers_sign_in_first(browse, db):
    assert browse().post(URL, form_data())["Location"].startswith("/signin")


def test_other_methods_are_refused(browse, alice):
    assert browse(alice).get(URL).status_code == 405
