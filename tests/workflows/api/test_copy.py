"""`POST /api/workflows/{id}/copy`: a workflow of one's own from any that one may read."""

from decimal import Decimal

import pytest

from tests.factories import make_agent, make_definition, make_workflow
from workflows.api.answers import WorkflowAnswer
from workflows.models import Workflow


@pytest.fixture
def workflow(alice):
    agents = [make_agent(provider="openai", model="gpt-5-mini", key="company-card")]
    return make_workflow(
        alice,
        definition=make_definition(agents=agents),
        description="For Monday",
        is_shared=True,
        cost_cap=Decimal("0.5"),
    )


def url(workflow):
    return f"/api/workflows/{workflow.pk}/copy"


def test_of_one_s_own(api, alice, workflow):
    answer = api(alice).post(url(workflow), {})

    assert answer.status_code == 201
    WorkflowAnswer.model_validate(answer.json())
    made = Workflow.objects.exclude(pk=workflow.pk).get()
    assert answer["Location"] == f"/api/workflows/{made.pk}"
    assert (made.owner, made.name, made.description) == (alice, "Copy of Report", "For Monday")
    assert (made.is_shared, made.cost_cap) == (False, Decimal("0.5"))
    assert made.current_version.number == 1
    assert made.current_version.definition == workflow.current_version.definition


def test_of_another_s_without_the_names_of_keys(api, bob, workflow):
    data = api(bob).post(url(workflow), {"name": "Mine"}).json()

    assert (data["name"], data["owner"]["id"]) == ("Mine", str(bob.pk))
    assert data["agents"][0]["key"] is None
    workflow.refresh_from_db()
    assert workflow.current_version.definition["agents"][0]["key"] == "company-card"


def test_it_goes_its_own_way(api, bob, workflow):
    copied = api(bob).post(url(workflow), {}).json()["id"]

    assert api(bob).patch(f"/api/workflows/{copied}", {"name": "New"}).status_code == 200
    workflow.refresh_from_db()
    assert workflow.name == "Report"


@pytest.mark.parametrize(
    ("status", "wanted"),
    [("draft", "draft"), ("active", "active"), ("paused", "active"), ("archived", "active")],
)
def test_status(api, alice, workflow, status, wanted):
    Workflow.objects.update(status=status)

    assert api(alice).post(url(workflow), {}).json()["status"] == wanted


def test_a_long_name_is_made_to_fit(api, alice, workflow):
    Workflow.objects.update(name="ü" * 200)

    name = api(alice).post(url(workflow), {}).json()["name"]

    assert len(name) == 200
    assert name.startswith("Copy of ü")
    assert name.endswith("ü…")


@pytest.mark.parametrize(
    ("body", "path"),
    [({"name": ""}, "name"), ({"name": "x" * 201}, "name"), ({"owner": "bob"}, "owner")],
)
def test_bad_body(api, alice, workflow, body, path):
    answer = api(alice).post(url(workflow), body)

    assert answer.status_code == 400
    assert [error["path"] for error in answer.json()["details"]["errors"]] == [path]
    assert Workflow.objects.count() == 1


def test_outsider(api, bob, workflow):
    Workflow.objects.update(is_shared=False)

    assert api(bob).post(url(workflow), {"nonsense": 1}).status_code == 404


def test_a_viewer_may_not(api, vera, workflow):
    answer = api(vera).post(url(workflow), {"nonsense": 1})

    assert (answer.status_code, answer.json()["code"]) == (403, "read_only_role")


def test_an_admin_gets_a_copy_of_their_own(api, adam, workflow):
    data = api(adam).post(url(workflow), {}).json()

    assert data["owner"]["id"] == str(adam.pk)
    assert data["agents"][0]["key"] is None


def test_anonymous(api, workflow):
    assert api().post(url(workflow), {}).status_code == 401


def test_wrong_method(api, alice, workflow):
    assert api(alice).get(url(workflow)).status_code == 405
