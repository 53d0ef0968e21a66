"""`GET /api/workflows/{id}/versions`: light rows, newest first."""

import pytest

from tests.factories import make_definition, make_task, make_workflow
from workflows.api.version_answers import VersionRow
from workflows.models import Workflow


@pytest.fixture
def workflow(alice):
    return make_workflow(alice)


def url(workflow):
    return f"/api/workflows/{workflow.pk}/versions"


def revise(workflow, by, count):
    """`count` more versions, each with one task more than the one before."""
    for number in range(count):
        tasks = [make_task(f"task_{n}") for n in range(number + 3)]
        workflow.revise(make_definition(*tasks), by=by)


def test_rows(api, alice, adam, workflow):
    revise(workflow, adam, 1)

    answer = api(alice).get(url(workflow))

    assert answer.status_code == 200
    newest, first = answer.json()["results"]
    VersionRow.model_validate(newest)
    assert (newest["number"], newest["is_current"], newest["task_count"]) == (2, True, 3)
    assert newest["created_by"] == {"id": str(adam.pk), "name": "Adam Example"}
    assert (first["number"], first["is_current"], first["task_count"]) == (1, False, 2)
    assert set(first) == {"number", "is_current", "task_count", "created_by", "created_at"}


def test_pages(api, alice, workflow):
    revise(workflow, alice, 4)
    client = api(alice)

    first = client.get(f"{url(workflow)}?limit=2").json()
    second = client.get(first["next"]).json()

    assert [row["number"] for row in first["results"]] == [5, 4]
    assert [row["number"] for row in second["results"]] == [3, 2]
    assert [row["number"] for row in client.get(second["next"]).json()["results"]] == [1]


def test_who_made_it_may_be_gone(api, alice, adam, workflow):
    revise(workflow, adam, 1)
    adam.delete()

    assert api(alice).get(url(workflow)).json()["results"][0]["created_by"] is None


def test_readers(api, workflow, bob, vera, adam):
    assert api(adam).get(url(workflow)).status_code == 200
    for user in (bob, vera):
        assert api(user).get(url(workflow)).status_code == 404
    Workflow.objects.update(is_shared=True)
    for user in (bob, vera):
        assert api(user).get(url(workflow)).status_code == 200


def test_anonymous(api, workflow):
    assert api().get(url(workflow)).status_code == 401


def test_wrong_method(api, alice, workflow):
    assert api(alice).post(url(workflow), {}).status_code == 405


def test_an_unknown_filter(api, alice, workflow):
    answer = api(alice).get(f"{url(workflow)}?status=x")

    assert answer.json()["details"]["errors"][0]["code"] == "unknown_filter"


def test_query_count_is_constant(api, alice, workflow, django_assert_num_queries):
    client = api(alice)
    with django_assert_num_queries(3) as first:  # the session, the workflow, the rows
        client.get(url(workflow))
    assert "definition" not in first[1]["sql"]
    revise(workflow, alice, 5)
    with django_assert_num_queries(3):
        assert len(client.get(url(workflow)).json()["results"]) == 6
