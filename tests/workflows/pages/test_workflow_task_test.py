from decimal import Decimal

import pytest

from tests.engine.support import Script, check_truth, results, work
from tests.factories import make_execution, make_workflow
from tests.workflows.pages.forms import form_data, task
from tests.workflows.pages.runs import make_run
from workflows.models import Execution, SpendEntry, Workflow

SCHEMA = '{"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}'


def url(workflow):
    return f"/workflows/{workflow.pk}/test"


def posted(**fields):
    """The editor's form, with a report that is not saved and its samples."""
    return {
        **form_data(**{"tasks-1-description": "Do report. {{ tasks.gather.output }}"}),
        "task": "report",
        "part": "tasks-1",
        "sample-out-gather": "They dance.",
        **fields,
    }


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("status", ["draft", "active", "paused"])
def test_runs_one_task_as_it_was_typed(browse, alice, status):
    workflow = make_workflow(alice, status=status, cost_cap=Decimal("0.5"))
    client = browse(alice)
    response = client.post(url(workflow), posted())
    assert b"Waiting for a worker" in response.content
    script = Script(report=["Nine **bees**."])
    work(script)
    execution = Execution.objects.get()
    check_truth(execution)
    assert (execution.status, execution.trigger) == ("completed", "test")
    assert execution.cost_cap == Decimal("0.5")
    assert [request.prompt for request in script.requests] == ["Do report. They dance."]
    stand_in = results(execution)["gather"]
    assert (stand_in.status, stand_in.output) == ("completed", "They dance.")
    assert (stand_in.attempts, stand_in.cost) == (0, 0)
    assert [entry.task_id for entry in SpendEntry.objects.all()] == ["report"]
    page = client.get(f"/executions/{execution.pk}/test").content.decode()
    assert "<strong>bees</strong>" in page
    assert "hx-get" not in page
    # Nothing was saved, and the page of the run shows what was run.
    assert Workflow.objects.get().current_version.number == 1
    page = client.get(f"/executions/{execution.pk}?task=report")
    assert page.status_code == 200
    assert page.context["spec"]["description"] == "Do report. {{ tasks.gather.output }}"
    assert [node.id for node in page.context["nodes"]] == ["report", "gather"]


@pytest.mark.django_db(transaction=True)
def test_an_ordinary_run_is_not_touched_by_a_test(alice, browse):
    workflow = make_workflow(alice)
    browse(alice).post(url(workflow), posted())
    ordinary = make_execution(workflow)
    script = Script()
    work(script)
    ordinary.refresh_from_db()
    assert ordinary.status == "completed"
    assert results(ordinary)["report"].input == "Do report.\n\n## Gather\ngather done"


def test_the_rest_of_the_form_may_be_wrong(browse, alice):
    workflow = make_workflow(alice)
    data = posted(**task(2, id="x y", description="", agent_id="ghost"), name="")
    browse(alice).post(url(workflow), data)
    execution = Execution.objects.get()
    assert execution.task_count == 2
    assert [item["id"] for item in execution.document["tasks"]] == ["report", "gather"]


def test_a_typed_input_is_checked(browse, alice):
    workflow = make_workflow(alice)
    data = posted(**{"tasks-1-description": "Do {{ input.n }}.", "input_schema": SCHEMA})
    client = browse(alice)
    response = client.post(url(workflow), data | {"sample-in-n": "many"})
    assert "whole number" in response.context["form"].errors["in-n"][0]
    assert not Execution.objects.exists()
    client.post(url(workflow), data | {"sample-in-n": "3"})
    assert Execution.objects.get().input == {"n": 3}


def test_asks_for_samples_that_are_missing(browse, alice):
    workflow = make_workflow(alice)
    response = browse(alice).post(url(workflow), posted(**{"sample-out-gather": " "}))
    assert response.context["form"].errors == {"out-gather": ["Enter a sample."]}
    assert not Execution.objects.exists()


@pytest.mark.parametrize(
    "change",
    [{"tasks-1-description": ""}, {"tasks-1-agent_id": "ghost"}, {"task": "ghost"}, {"task": ""}],
)
def test_what_is_wrong_with_the_task_is_said(browse, alice, change):
    workflow = make_workflow(alice)
    assert browse(alice).post(url(workflow), posted(**change)).context["problems"]
    assert not Execution.objects.exists()


def test_counts_as_an_execution_that_is_asked_for(browse, alice, limits):
    limits(EXECUTE="2/m")
    workflow, client = make_workflow(alice), browse(alice)
    answers = [client.post(url(workflow), posted()) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert b"You can try again in" in answers[2].content
    assert Execution.objects.count() == 2


def test_another_s_result_is_not_found(browse, alice, bob, vera):
    workflow = make_workflow(alice, is_shared=True)
    browse(alice).post(url(workflow), posted())
    result = f"/executions/{Execution.objects.get().pk}/test"
    assert browse(alice).get(result).status_code == 200
    for stranger in (bob, vera):
        assert browse(stranger).get(result).status_code == 404
    assert browse().get(result)["Location"].startswith("/signin")
    assert browse(alice).post(result).status_code == 405


def test_a_result_is_of_a_test_only(browse, alice):
    assert browse(alice).get(f"/executions/{make_run(alice).pk}/test").status_code == 404


def test_a_reader_may_not(browse, alice, bob, vera):
    workflow = make_workflow(alice, is_shared=True)
    for reader in (bob, vera):
        assert browse(reader).post(url(workflow), posted()).status_code == 403
    assert not Execution.objects.exists()


def test_another_s_is_not_found(browse, alice, bob):
    assert browse(bob).post(url(make_workflow(alice)), posted()).status_code == 404


def test_strangers_sign_in_first(browse, alice):
    response = browse().post(url(make_workflow(alice)), posted())
    assert response["Location"].startswith("/signin")


def test_other_methods_are_refused(browse, alice):
    assert browse(alice).get(url(make_workflow(alice))).status_code == 405
