"""The Django admin of the workflow models."""

import pytest
from django.test import Client

from tests.factories import make_execution, make_key, make_workflow
from tests.workflows.pages.runs import make_attempt, make_run
from workflows.models import ApiKey, Execution, Workflow, WorkflowVersion

MODELS = [
    "workflow",
    "workflowversion",
    "execution",
    "taskresult",
    "executionevent",
    "spendentry",
    "apikey",
]
HISTORY = [name for name in MODELS if name not in {"workflow", "apikey"}]
SECRET = "sk-canary-0123456789-WXYZ"


@pytest.fixture
def admin(adam):
    client = Client()
    client.force_login(adam)
    return client


@pytest.fixture
def rows(alice):
    """A row of every model, by the model's name."""
    run = make_run(alice)
    return {
        "workflow": run.workflow,
        "workflowversion": run.version,
        "execution": run,
        "taskresult": run.tasks.first(),
        "executionevent": run.events.first(),
        "spendentry": make_attempt(run, "gather"),
        "apikey": make_key(alice, secret=SECRET),
    }


@pytest.mark.parametrize("model", MODELS)
def test_lists_searches_and_shows(admin, rows, model):
    assert admin.get(f"/admin/workflows/{model}/").status_code == 200
    assert admin.get(f"/admin/workflows/{model}/", {"q": "x"}).status_code == 200
    assert admin.get(f"/admin/workflows/{model}/{rows[model].pk}/change/").status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_adds_nothing(admin, model):
    assert admin.get(f"/admin/workflows/{model}/add/").status_code == 403


@pytest.mark.parametrize("model", HISTORY)
def test_history_is_read_only(admin, rows, model):
    base = f"/admin/workflows/{model}/{rows[model].pk}"
    assert admin.post(f"{base}/change/", {"status": "failed"}).status_code == 403
    assert admin.post(f"{base}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("who", ["alice", "vera"])
def test_other_roles_stay_outside(request, rows, model, who):
    client = Client()
    client.force_login(request.getfixturevalue(who))
    response = client.get(f"/admin/workflows/{model}/")
    assert response.status_code in {302, 403}


def test_a_key_is_masked_everywhere(admin, rows):
    key = rows["apikey"]
    for url in ("/admin/workflows/apikey/", f"/admin/workflows/apikey/{key.pk}/change/"):
        page = admin.get(url).content.decode()
        assert "•••• WXYZ" in page
        assert SECRET not in page
        assert "ciphertext" not in page


def test_a_key_can_be_stopped_and_nothing_else(admin, rows):
    key = rows["apikey"]
    before = bytes(key.ciphertext)
    data = {"is_active": "", "name": "x", "base_url": "https://evil.example", "last_four": "0000"}
    admin.post(f"/admin/workflows/apikey/{key.pk}/change/", data)
    key.refresh_from_db()
    assert not key.is_active
    assert (key.name, key.base_url, key.last_four) == ("main", "", "WXYZ")
    assert bytes(key.ciphertext) == before


def test_a_key_can_be_deleted(admin, rows):
    admin.post(f"/admin/workflows/apikey/{rows['apikey'].pk}/delete/", {"post": "yes"})
    assert not ApiKey.objects.exists()


def _inline_form():
    return {f"versions-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS")}


def test_a_workflow_can_be_paused_but_not_given_away(admin, alice, bob):
    workflow = make_workflow(alice)
    data = {"name": "New", "status": "paused", "owner": str(bob.pk), "description": ""}
    response = admin.post(f"/admin/workflows/workflow/{workflow.pk}/change/", data | _inline_form())
    assert response.status_code == 302
    workflow.refresh_from_db()
    assert (workflow.name, workflow.status, workflow.owner) == ("New", "paused", alice)
    assert WorkflowVersion.objects.count() == 1


def test_a_workflow_is_deleted_with_its_history(admin, rows):
    url = f"/admin/workflows/workflow/{rows['workflow'].pk}/delete/"
    assert admin.get(url).status_code == 200
    admin.post(url, {"post": "yes"})
    assert not Workflow.objects.exists()
    assert not Execution.objects.exists()


def test_a_workflow_under_way_is_not_deleted(admin, alice):
    execution = make_execution(make_workflow(alice))
    url = f"/admin/workflows/workflow/{execution.workflow_id}/delete/"
    response = admin.post(url, {"post": "yes"}, follow=True)
    assert "has an execution under way" in response.content.decode()
    assert Workflow.objects.exists()


@pytest.mark.parametrize("model", MODELS)
def test_queries_do_not_grow_with_rows(admin, alice, model, django_assert_max_num_queries):
    for number in range(6):
        run = make_run(alice)
        make_attempt(run, "gather")
        make_key(alice, name=f"key {number}")
    with django_assert_max_num_queries(8):
        admin.get(f"/admin/workflows/{model}/")
