import pytest
from django.core.management import CommandError, call_command

from tests.factories import make_workflow
from workflows import samples
from workflows.management.commands import load_sample
from workflows.models import Execution, Workflow


@pytest.fixture
def embedded_model(monkeypatch):
    """`embedded_model(False)` is an installation without it."""

    def present(answer):
        monkeypatch.setattr(load_sample, "embedded_model_is_installed", lambda: answer)

    present(True)
    return present


def test_the_sample_belongs_to_the_admin(adam):
    call_command("load_sample")
    workflow = Workflow.objects.get()
    assert workflow.owner == adam
    assert len(workflow.current_version.definition["tasks"]) == 3
    assert not Execution.objects.exists()


def test_twice_is_once(adam):
    call_command("load_sample")
    call_command("load_sample")
    assert Workflow.objects.count() == 1
    assert Workflow.objects.get().versions.count() == 1


def test_without_an_admin_it_says_what_to_do(db, alice):
    with pytest.raises(CommandError, match="createadmin"):
        call_command("load_sample")


def test_run_starts_it_once(adam, embedded_model, capsys):
    call_command("load_sample", run=True)
    call_command("load_sample", run=True)
    execution = Execution.objects.get()
    assert execution.user == adam
    assert execution.status == "pending"
    assert "Started the sample workflow" in capsys.readouterr().out


def test_run_leaves_an_installation_in_use_alone(adam, alice, embedded_model):
    make_workflow(alice)
    call_command("load_sample", run=True)
    assert Workflow.objects.count() == 1
    assert not Execution.objects.exists()


def test_run_without_the_embedded_model_only_makes_it(adam, embedded_model, capsys):
    embedded_model(False)
    call_command("load_sample", run=True)
    assert Workflow.objects.count() == 1
    assert not Execution.objects.exists()
    assert "not installed" in capsys.readouterr().out


def test_two_tasks_run_in_parallel_and_one_depends_on_both(adam):
    tasks = samples.ensure_for_admin().current_version.definition["tasks"]
    assert [task["dependencies"] for task in tasks] == [[], [], ["facts", "title"]]
