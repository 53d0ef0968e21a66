"""`POST /api/workflows/{id}/execute`."""

import pytest

from tests.factories import make_definition, make_workflow
from workflows.api.answers import ExecutionAnswer
from workflows.models import Execution, Workflow

TOPIC = {"type": "object", "properties": {"topic": {"type": "string"}}, "required": ["topic"]}


@pytest.fixture
def workflow(alice):
    return make_workflow(alice, definition=make_definition(input_schema=TOPIC))


@pytest.fixture
def url(workflow):
    return f"/api/workflows/{workflow.pk}/execute"


GIVEN = {"input": {"topic": "bees"}}


def test_execute(api, alice, url, workflow):
    answer = api(alice).post(url, GIVEN)

    assert answer.status_code == 202
    ExecutionAnswer.model_validate(answer.json())
    execution = Execution.objects.get()
    assert answer["Location"] == f"/api/executions/{execution.pk}"
    assert (execution.user, execution.trigger, execution.input) == (alice, "api", GIVEN["input"])
    data = answer.json()
    assert (data["workflow_id"], data["version"]) == (str(workflow.pk), 1)
    assert (data["status"], data["progress"], data["tokens"]) == ("pending", 0, 0)
    assert data["cost"] == "0.00000000"
    assert [task["task_id"] for task in data["task_results"]] == ["gather", "report"]


def test_a_body_is_not_needed(api, alice):
    workflow = make_workflow(alice)

    assert api(alice).post(f"/api/workflows/{workflow.pk}/execute").status_code == 202


@pytest.mark.parametrize("cap", ["0.50", 0.5, "12345678.12345678", 0])
def test_cost_cap(api, alice, url, cap):
    assert api(alice).post(url, {**GIVEN, "cost_cap": cap}).status_code == 202


@pytest.mark.parametrize(
    ("sent", "path", "code"),
    [
        ({}, "input.topic", "missing"),
        ({"input": []}, "input", "wrong_type"),
        ({"input": {"topic": 3}}, "input.topic", "wrong_type"),
        ({"input": {"topic": "x" * 70_000}}, "input", "too_large"),
        ({**GIVEN, "cost_cap": "-1"}, "cost_cap", "invalid_amount"),
        ({**GIVEN, "cost_cap": "much"}, "cost_cap", "invalid_amount"),
        ({**GIVEN, "cost_cap": "1e99"}, "cost_cap", "invalid_amount"),
        ({**GIVEN, "cost_cap": "0.000000001"}, "cost_cap", "invalid_amount"),
        ({**GIVEN, "cost_cap": "NaN"}, "cost_cap", "invalid_amount"),
        ({**GIVEN, "cost_cap": "1_0"}, "cost_cap", "invalid_amount"),
        ({**GIVEN, "cost_cap": "٣"}, "cost_cap", "invalid_amount"),
        ({**GIVEN, "cost_cap": True}, "cost_cap", "invalid_amount"),
        ({**GIVEN, "user": 1}, "user", "unknown_field"),
    ],
)
def test_bad_body(api, alice, url, sent, path, code):
    answer = api(alice).post(url, sent)

    assert answer.status_code == 400
    errors = answer.json()["details"]["errors"]
    assert [(error["path"], error["code"]) for error in errors] == [(path, code)]
    assert not Execution.objects.exists()


@pytest.mark.parametrize("status", ["draft", "paused", "archived"])
def test_only_an_active_workflow_runs(api, alice, url, workflow, status):
    Workflow.objects.filter(pk=workflow.pk).update(status=status)

    answer = api(alice).post(url, GIVEN)

    assert (answer.status_code, answer.json()["code"]) == (409, "workflow_not_active")


def test_anonymous(api, url):
    answer = api().post(url, GIVEN)

    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


def test_outsider(api, bob, vera, url):
    for user in (bob, vera):
        assert api(user).post(url, b"{", content_type="application/json").status_code == 404


def test_a_shared_workflow_is_read_not_run(api, bob, vera, url, workflow):
    Workflow.objects.filter(pk=workflow.pk).update(is_shared=True)

    for user in (bob, vera):
        assert api(user).post(url, GIVEN).status_code == 403
    assert not Execution.objects.exists()


def test_admin_runs_and_pays(api, adam, url):
    assert api(adam).post(url, GIVEN).status_code == 202
    assert Execution.objects.get().user == adam


def test_wrong_method(api, alice, url):
    assert api(alice).get(url).status_code == 405


def test_the_same_key_and_body_is_the_same_execution(api, alice, url):
    client = api(alice)

    answers = [client.post(url, GIVEN, headers={"Idempotency-Key": "k1"}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Execution.objects.count() == 1


def test_the_same_key_with_another_body(api, alice, url):
    client = api(alice)
    client.post(url, GIVEN, headers={"Idempotency-Key": "k1"})

    answer = client.post(url, {"input": {"topic": "ants"}}, headers={"Idempotency-Key": "k1"})

    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")
    assert client.post(url, GIVEN, headers={"Idempotency-Key": "k2"}).status_code == 202


def test_the_same_key_after_the_workflow_was_given_a_cap(api, alice, url, workflow):
    client = api(alice)
    first = client.post(url, GIVEN, headers={"Idempotency-Key": "k1"})
    Workflow.objects.filter(pk=workflow.pk).update(cost_cap="0.5")

    again = client.post(url, GIVEN, headers={"Idempotency-Key": "k1"})

    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])


@pytest.mark.parametrize(("key", "status"), [("k" * 255, 202), ("k" * 256, 400), ("a\tb", 400)])
def test_keys_are_bounded(api, alice, url, key, status):
    answer = api(alice).post(url, GIVEN, headers={"Idempotency-Key": key})

    assert answer.status_code == status
