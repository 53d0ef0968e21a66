"""GET /api/admin/workflows."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from tests.factories import make_workflow
from tests.workflows.pages.runs import make_run
from workflows.models import Execution

URL = "/api/admin/workflows"


def names(answer):
    assert answer.status_code == 200, answer.json()
    return [row["name"] for row in answer.json()["results"]]


def test_everybody_s_newest_first_with_their_use(api, adam, alice, bob):
    make_workflow(alice, name="Idle")
    busy = make_workflow(bob, name="Busy")
    for cost, age in (("1.25", 1), ("2", 29), ("40", 31)):
        run = make_run(bob, workflow=busy)
        created = timezone.now() - timedelta(days=age)
        Execution.objects.filter(pk=run.pk).update(cost=Decimal(cost), created_at=created)

    first, second = api(adam).get(URL).json()["results"]

    assert (first["name"], first["owner"]["email"]) == ("Busy", "bob@example.com")
    assert (first["execution_count"], first["spend_30_days"]) == (3, "3.25000000")
    newest = max(busy.executions.values_list("created_at", flat=True))
    assert first["last_run_at"] == newest.isoformat().replace("+00:00", "Z")
    assert (second["name"], second["execution_count"]) == ("Idle", 0)
    assert (second["last_run_at"], second["spend_30_days"]) == (None, "0.00000000")


def test_the_keys(api, adam, alice):
    """security.md 4."""
    make_workflow(alice)
    (row,) = api(adam).get(URL).json()["results"]

    assert set(row) == {
        *("id", "name", "description", "status", "is_shared", "version", "owner", "task_count"),
        *("created_at", "updated_at", "execution_count", "last_run_at", "spend_30_days"),
    }
    assert set(row["owner"]) == {"id", "name", "email"}


def test_filters(api, adam, alice, bob):
    make_workflow(alice, name="One", description="about llamas", status="paused")
    make_workflow(bob, name="Two")
    client = api(adam)

    assert names(client.get(URL, {"status": "paused"})) == ["One"]
    assert names(client.get(URL, {"q": "LLAMA"})) == ["One"]
    assert names(client.get(URL, {"owner": "bob@"})) == ["Two"]
    assert names(client.get(URL, {"owner": str(alice.pk)})) == ["One"]
    assert names(client.get(URL, {"owner": "bob@", "status": "paused"})) == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"status": "nope"}, "invalid_choice"),
        ({"ownr": "bob"}, "unknown_filter"),
        ({"q": "\0"}, "invalid"),
        ({"owner": "x" * 201}, "invalid"),
        ({"cursor": "x"}, "invalid_cursor"),
        ({"limit": "101"}, "invalid_limit"),
    ],
)
def test_what_makes_no_sense_is_refused(api, adam, query, code):
    answer = api(adam).get(URL, query)
    assert answer.status_code == 400
    assert answer.json()["details"]["errors"][0]["code"] == code


def test_goes_on_by_cursor(api, adam, alice):
    for name in "abc":
        make_workflow(alice, name=name)
    client = api(adam)
    page = client.get(URL, {"limit": 2}).json()
    assert [row["name"] for row in page["results"]] == ["c", "b"]
    assert names(client.get(page["next"])) == ["a"]


def test_anonymous(api, db):
    assert api().get(URL).status_code == 401


@pytest.mark.parametrize("who", ["alice", "vera"])
def test_other_roles(api, request, who):
    answer = api(request.getfixturevalue(who)).get(URL)
    assert answer.status_code == 403
    assert answer.json()["code"] == "admin_only"


def test_other_methods(api, adam):
    assert api(adam).post(URL, {}).status_code == 405


def test_query_count_is_constant(api, adam, alice, bob, django_assert_num_queries):
    client = api(adam)
    make_run(alice)
    with django_assert_num_queries(3):  # the session, the rows, their runs
        client.get(URL)
    for owner in (alice, bob) * 3:
        make_run(owner)
    with django_assert_num_queries(3):
        assert len(client.get(URL).json()["results"]) == 7
