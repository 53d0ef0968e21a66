"""What the audit log has of workflows, executions and keys, and of whom."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError
from django.utils import timezone

from accounts.models import AuditEntry
from hummbl.errors import Conflict
from tests.accounts.entries import actions, forget, recorded
from tests.factories import make_definition, make_execution, make_key, make_task, make_workflow
from tests.workflows.pages.runs import make_run
from workflows import gallery
from workflows.management.commands import load_sample, run_workflow
from workflows.models import Execution
from workflows.portable import export_workflow, import_workflow

ALICE, ADAM = "alice@example.com", "adam@example.com"
OTHER = make_definition(make_task("only"))


@pytest.fixture
def workflow(alice):
    made = make_workflow(alice)
    forget()
    return made


def test_making_one(alice):
    workflow = make_workflow(alice)
    assert recorded() == [("workflow.created", ALICE, "Report", {})]
    assert AuditEntry.objects.get().object_id == workflow.pk


def test_where_one_came_from(alice, workflow):
    workflow.copy(by=alice)
    gallery.get("research-and-report").use(by=alice)
    import_workflow(alice, export_workflow(workflow))
    assert [(action, data) for action, _, _, data in recorded()] == [
        ("workflow.created", {"copy_of": str(workflow.pk)}),
        ("workflow.created", {"template": "research-and-report"}),
        ("workflow.imported", {}),
    ]


def test_changing_one(adam, workflow):
    fields = {"name": "Other", "description": "", "status": "paused", "is_shared": False}
    workflow.change(fields, OTHER, by=adam)
    data = {"fields": ["name", "status"], "status": "paused", "version": 2}
    assert recorded() == [("workflow.changed", ADAM, "Other", data)]


def test_saving_it_as_it_is(alice, workflow):
    document = workflow.current_version.definition
    workflow.change({"name": "Report", "cost_cap": None}, document, by=alice)
    workflow.revise(document, by=alice)
    workflow.restore(1, by=alice)
    assert recorded() == []


def test_sharing_one(alice, workflow):
    workflow.change({"is_shared": True}, by=alice)
    workflow.change({"is_shared": False, "name": "Mine"}, by=alice)
    assert recorded() == [
        ("workflow.shared", ALICE, "Report", {}),
        ("workflow.unshared", ALICE, "Mine", {}),
        ("workflow.changed", ALICE, "Mine", {"fields": ["name"]}),
    ]


def test_restoring_one(alice, workflow):
    workflow.revise(OTHER, by=alice)
    workflow.restore(1, by=alice)
    assert [data for *_, data in recorded(action="workflow.changed")] == [
        {"fields": [], "version": 2},
        {"fields": [], "version": 3, "restored": 1},
    ]


def test_deleting_one(adam, workflow):
    workflow.delete(by=adam)
    assert recorded() == [("workflow.deleted", ADAM, "Report", {})]


def test_a_deletion_that_is_refused_is_not_noted(alice, workflow):
    make_execution(workflow)
    forget()
    with pytest.raises(Conflict):
        workflow.delete(by=alice)
    assert recorded() == []


@pytest.mark.parametrize("trigger", ["manual", "api"])
def test_starting_a_run(alice, workflow, trigger):
    execution = workflow.execute(user=alice, input={}, trigger=trigger)
    data = {"trigger": trigger, "workflow": str(workflow.pk)}
    assert recorded() == [("execution.started", ALICE, "Report", data)]
    assert AuditEntry.objects.get().object_id == execution.pk


def test_testing_a_task(alice, workflow):
    samples = {"input": {}, "outputs": {}}
    Execution.start_test(workflow, OTHER, "only", user=alice, **samples)
    ((action, who, _, data),) = recorded()
    assert (action, who, data["trigger"]) == ("execution.started", ALICE, "test")


def test_the_same_request_again_starts_nothing(alice, workflow):
    for _ in range(2):
        workflow.execute(user=alice, input={}, idempotency_key="one")
    assert actions() == ["execution.started"]


def test_a_start_costs_one_statement(alice, workflow, django_assert_num_queries, monkeypatch):
    """It is on the way to the first call of a model."""
    monkeypatch.setattr("workflows.models.execution.wake.notify_after_commit", lambda _: None)
    execution = workflow.execute(user=alice, input={})
    with django_assert_num_queries(1):
        execution._record("execution.started", alice)


def test_a_run_that_cannot_be_written_is_not_noted(alice, workflow, monkeypatch):
    def fail(*_):
        raise IntegrityError

    monkeypatch.setattr("workflows.models.execution.wake.notify_after_commit", fail)
    with pytest.raises(IntegrityError):
        workflow.execute(user=alice, input={})
    assert recorded() == []


def test_cancelling_a_run_once(adam, workflow):
    execution = make_execution(workflow)
    forget()
    execution.cancel(by=adam)
    with pytest.raises(Conflict):
        execution.cancel(by=adam)
    data = {"workflow": str(workflow.pk)}
    assert recorded() == [("execution.cancelled", ADAM, "Report", data)]


def test_asking_again_while_it_ends(alice, adam, workflow):
    execution = make_execution(workflow)
    lease = timezone.now() + timedelta(minutes=1)
    Execution.objects.filter(pk=execution.pk).update(status="running", lease_expires_at=lease)
    forget()
    execution.cancel(by=adam)
    execution.cancel(by=alice)
    assert [who for _, who, *_ in recorded()] == [ADAM]


def test_downloads(client, alice, workflow):
    run = make_run(alice, workflow=workflow, tasks={"gather": {"output": "Bees."}})
    forget()
    client.force_login(alice)
    client.get(f"/executions/{run.pk}/outputs?as=json")
    client.get(f"/executions/{run.pk}/tasks/gather/output?as=txt")
    client.get(f"/executions/{run.pk}/tasks/ghost/output")
    client.get(f"/workflows/{workflow.pk}/export")
    about = {"workflow": str(workflow.pk)}
    assert recorded() == [
        ("execution.exported", ALICE, "Report", {"kind": "json", **about}),
        ("execution.exported", ALICE, "Report", {"kind": "txt", "task": "gather", **about}),
        ("workflow.exported", ALICE, "Report", {}),
    ]


def test_keys_of_one_s_own(alice):
    key = make_key(alice)
    key.rename("spare", by=alice)
    key.rename("spare", by=alice)
    key.replace_secret("sk-another-0123456789wxyz", by=alice)
    key.set_active(False, by=alice)
    key.set_active(False, by=alice)
    key.delete(by=alice)
    assert recorded() == [
        ("key.created", ALICE, "OpenAI · main · •••• abcd", {}),
        ("key.changed", ALICE, "OpenAI · spare · •••• abcd", {"what": "renamed"}),
        ("key.changed", ALICE, "OpenAI · spare · •••• wxyz", {"what": "replaced"}),
        ("key.changed", ALICE, "OpenAI · spare · •••• wxyz", {"what": "deactivated"}),
        ("key.deleted", ALICE, "OpenAI · spare · •••• wxyz", {}),
    ]


def test_another_s_key_says_whose_it_was(adam, alice):
    key = make_key(alice)
    forget()
    key.delete(by=adam)
    ((_, who, _, data),) = recorded()
    assert (who, data) == (ADAM, {"owner": str(alice.pk)})


def test_by_the_command_line(adam, workflow, monkeypatch):
    """A command knows whose run it is, not who typed it."""
    monkeypatch.setattr(run_workflow.Command, "_follow", lambda *_: None)
    monkeypatch.setattr(run_workflow.Command, "_report", lambda *_: None)
    monkeypatch.setattr(load_sample, "embedded_model_is_installed", lambda: True)
    call_command("run_workflow", str(workflow.pk))
    call_command("load_sample")
    call_command("createadmin", email="ops@example.com")
    assert [entry[:3] for entry in recorded()] == [
        ("execution.started", "command line", "Report"),
        ("workflow.created", "command line", "Hello from three agents"),
        ("user.created", "command line", "ops@example.com"),
    ]
    assert not AuditEntry.objects.filter(actor_id__isnull=False).exists()
    make_execution(workflow)
    assert actions(actor_label=ALICE) == ["execution.started"]


def test_the_address_of_who_asked(api, alice, workflow):
    body = {"name": "Other"}
    api(alice).patch(f"/api/workflows/{workflow.pk}", body, REMOTE_ADDR="203.0.113.9")
    assert [entry.ip for entry in AuditEntry.objects.all()] == ["203.0.113.9"]
