"""`POST /api/executions/{id}/cancel`."""

import pytest

from accounts.models import User
from tests.factories import make_execution, make_workflow
from workflows.models import Execution


@pytest.fixture
def execution(alice):
    return make_execution(make_workflow(alice))


@pytest.fixture
def url(execution):
    return f"/api/executions/{execution.pk}/cancel"


def test_cancel(api, alice, url):
    answer = api(alice).post(url)

    assert answer.status_code == 202
    assert (answer.json()["status"], answer.json()["progress"]) == ("cancelled", 1)
    assert {task["status"] for task in answer.json()["task_results"]} == {"cancelled"}


def test_twice_is_a_conflict(api, alice, url):
    client = api(alice)
    client.post(url)

    answer = client.post(url)

    assert (answer.status_code, answer.json()["code"]) == (409, "already_ended")


def test_anonymous(api, url):
    assert api().post(url).status_code == 401


def test_outsider(api, bob, vera, url):
    assert api(bob).post(url).status_code == 404
    assert api(vera).post(url).status_code == 404
    assert Execution.objects.get().status == "pending"


def test_someone_who_became_a_viewer(api, alice, url):
    User.objects.filter(pk=alice.pk).update(role="viewer")

    assert api(alice).post(url).status_code == 403


def test_admin(api, adam, url):
    assert api(adam).post(url).status_code == 202


def test_wrong_method(api, alice, url):
    assert api(alice).get(url).status_code == 405
