"""`/api/executions` and `/api/executions/{id}`."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from tests.factories import make_definition, make_execution, make_task, make_workflow
from workflows.api.answers import ExecutionAnswer, ExecutionRow
from workflows.models import TaskResult

URL = "/api/executions"


@pytest.fixture
def execution(alice):
    return make_execution(make_workflow(alice))


def test_list(api, alice, execution):
    data = api(alice).get(URL).json()

    (row,) = data["results"]
    ExecutionRow.model_validate(row)
    assert set(row) == {
        "id",
        "workflow_id",
        "version",
        "status",
        "progress",
        "cost",
        "tokens",
        "started_at",
        "completed_at",
        "error",
    }
    assert (data["next"], data["previous"]) == (None, None)


def test_detail(api, alice, execution):
    started = timezone.now()
    TaskResult.objects.filter(execution=execution, task_id="gather").update(
        status="completed",
        output="Facts",
        attempts=2,
        model="smollm2",
        input_tokens=3,
        output_tokens=4,
        cost=Decimal("0.00000125"),
        started_at=started,
        completed_at=started + timedelta(seconds=1.5),
    )

    data = api(alice).get(f"{URL}/{execution.pk}").json()

    ExecutionAnswer.model_validate(data)
    gather, report = data["task_results"]
    assert set(gather) == {
        "task_id",
        "item_index",
        "task_name",
        "agent_id",
        "status",
        "output",
        "error",
        "error_code",
        "finish_reason",
        "attempts",
        "model",
        "input_tokens",
        "cached_tokens",
        "output_tokens",
        "cost",
        "duration",
        "started_at",
        "completed_at",
    }
    assert (gather["output"], gather["duration"], gather["cost"]) == ("Facts", 1.5, "0.00000125")
    assert (report["status"], report["duration"], report["started_at"]) == ("pending", None, None)


def test_who_sees_what(api, alice, bob, vera, adam, execution):
    url = f"{URL}/{execution.pk}"

    assert {user.email: api(user).get(url).status_code for user in (alice, bob, vera, adam)} == {
        alice.email: 200,
        bob.email: 404,
        vera.email: 404,
        adam.email: 200,
    }
    assert [len(api(user).get(URL).json()["results"]) for user in (alice, bob, vera, adam)] == [
        1,
        0,
        0,
        1,
    ]


def test_a_shared_workflow_does_not_share_its_executions(api, bob, alice):
    execution = make_execution(make_workflow(alice, is_shared=True))

    assert api(bob).get(f"{URL}/{execution.pk}").status_code == 404


def test_anonymous(api, execution):
    for url in (URL, f"{URL}/{execution.pk}"):
        answer = api().get(url)
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


def test_wrong_method(api, alice, execution):
    assert api(alice).post(URL, {}).status_code == 405
    assert api(alice).delete(f"{URL}/{execution.pk}").status_code == 405


def test_filters(api, alice, execution):
    other = make_execution(make_workflow(alice, name="Other"))
    other.cancel(by=alice)

    def ids(query):
        return [row["id"] for row in api(alice).get(f"{URL}?{query}").json()["results"]]

    assert ids("") == [str(other.pk), str(execution.pk)]
    assert ids("status=cancelled") == [str(other.pk)]
    assert ids(f"workflow_id={execution.workflow_id}") == [str(execution.pk)]
    assert ids(f"workflow_id={execution.workflow_id}&status=cancelled") == []


@pytest.mark.parametrize("query", ["status=done", "workflow_id=1", "user=1"])
def test_bad_filters(api, alice, query):
    assert api(alice).get(f"{URL}?{query}").status_code == 400


def test_query_counts_are_constant(api, alice, django_assert_num_queries):
    tasks = [make_task(f"t{number}") for number in range(20)]
    workflow = make_workflow(alice, definition=make_definition(*tasks))
    executions = [make_execution(workflow) for _ in range(5)]
    client = api(alice)

    with django_assert_num_queries(2):  # the session, the rows
        assert len(client.get(URL).json()["results"]) == 5
    with django_assert_num_queries(3):  # the session, the execution, its tasks
        assert len(client.get(f"{URL}/{executions[0].pk}").json()["task_results"]) == 20
