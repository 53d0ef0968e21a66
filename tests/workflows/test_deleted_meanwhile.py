"""What is deleted by one request while another works on it: a 404, and it stays deleted."""

import pytest
from django.db import IntegrityError
from django.db.models import Model

from hummbl.errors import Conflict, NotFound
from tests.factories import make_definition, make_execution, make_key, make_task, make_workflow
from workflows.api.workflows import read_workflow
from workflows.models import ApiKey, Execution, Workflow

# References are checked at the commit.
pytestmark = pytest.mark.django_db(transaction=True)

OTHER = make_definition(make_task("other"))


@pytest.mark.parametrize(
    "action",
    [
        lambda workflow: workflow.revise(OTHER, by=workflow.owner),
        lambda workflow: workflow.delete(),
        lambda workflow: workflow.execute(user=workflow.owner, input={}),
        lambda workflow: workflow.execute(user=workflow.owner, input={}, idempotency_key="once"),
        lambda workflow: Execution.start_test(
            workflow, OTHER, "other", input={}, outputs={}, user=workflow.owner
        ),
    ],
    ids=["revise", "delete", "execute", "execute once", "start_test"],
)
def test_a_workflow(alice, action):
    workflow = make_workflow(alice)
    Workflow.objects.get(pk=workflow.pk).delete()

    with pytest.raises(NotFound):
        action(workflow)

    assert not Workflow.objects.exists()
    assert not Execution.objects.exists()


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_workflow_that_is_being_changed(api, alice, monkeypatch, method):
    workflow = make_workflow(alice)

    def delete_and_read(*args):
        Workflow.objects.get(pk=workflow.pk).delete()
        return read_workflow(*args)

    monkeypatch.setattr("workflows.api.workflows.read_workflow", delete_and_read)

    answer = getattr(api(alice), method)(
        f"/api/workflows/{workflow.pk}", {"name": "Other", **OTHER}
    )

    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"
    assert not Workflow.objects.exists()


@pytest.mark.parametrize(
    "action",
    [
        lambda key: key.rename("other", by=key.user),
        lambda key: key.replace_secret("sk-another-0123456789", by=key.user),
        lambda key: key.set_active(False, by=key.user),
    ],
    ids=["rename", "replace", "stop"],
)
def test_a_key(alice, action):
    key = make_key(alice)
    ApiKey.objects.all().delete()

    with pytest.raises(NotFound):
        action(key)

    assert not ApiKey.objects.exists()


def test_an_execution(alice):
    execution = make_execution(make_workflow(alice))
    Execution.objects.all().delete()

    with pytest.raises(NotFound):
        execution.cancel(by=alice)


def test_an_execution_that_begins_while_its_workflow_is_deleted(alice, monkeypatch):
    workflow = make_workflow(alice)

    def refuse(*_args):
        raise IntegrityError("an execution still refers to it")

    monkeypatch.setattr(Model, "delete", refuse)

    with pytest.raises(Conflict):
        workflow.delete()
    assert Workflow.objects.get().current_version
