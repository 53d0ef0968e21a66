"""GET /api/admin/executions."""

from datetime import UTC, datetime

import pytest

from tests.factories import make_workflow
from tests.workflows.pages.runs import make_run
from workflows.models import Execution

URL = "/api/admin/executions"


def ids(answer):
    assert answer.status_code == 200, answer.json()
    return [row["id"] for row in answer.json()["results"]]


def test_everybody_s_newest_first(api, adam, alice, bob):
    runs = [make_run(alice), make_run(bob, "failed")]

    rows = api(adam).get(URL).json()["results"]

    assert [row["id"] for row in rows] == [str(run.pk) for run in reversed(runs)]
    assert [row["user"]["email"] for row in rows] == ["bob@example.com", "alice@example.com"]
    assert rows[0]["workflow_name"] == "Report"
    assert rows[0]["duration"] == 10


def test_the_keys(api, adam, alice):
    """security.md 4."""
    make_run(alice)
    (row,) = api(adam).get(URL).json()["results"]

    assert set(row) == {
        *("id", "workflow_id", "workflow_name", "version", "user", "trigger", "status"),
        *("progress", "cost", "tokens", "duration", "error"),
        *("created_at", "started_at", "completed_at"),
    }
    assert set(row["user"]) == {"id", "name", "email"}


def test_filters(api, adam, alice, bob):
    old = make_run(alice, "failed", workflow=make_workflow(alice, name="Llamas"))
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    Execution.objects.filter(pk=old.pk).update(created_at=moment, trigger="api", error="Too hot")
    new = make_run(bob)
    client = api(adam)
    for only_old in (
        {"status": "failed"},
        {"workflow_id": str(old.workflow_id)},
        {"user": "alice@"},
        {"user": str(alice.pk)},
        {"trigger": "api"},
        {"created_before": "2026-01-02T00:00:01Z"},
        {"created_after": "2026-01-02", "created_before": "2026-01-03"},
        {"q": "llama"},
        {"q": "too HOT"},
    ):
        assert ids(client.get(URL, only_old)) == [str(old.pk)], only_old
    for only_new in ({"created_after": "2026-01-02T02:00:00+01:00"}, {"trigger": "manual"}):
        assert ids(client.get(URL, only_new)) == [str(new.pk)], only_new
    assert ids(client.get(f"{URL}?created_before=2026-01-02T01:00:00+01:00")) == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"status": "nope"}, "invalid_choice"),
        ({"trigger": "nope"}, "invalid_choice"),
        ({"workflow_id": "nope"}, "invalid_id"),
        ({"created_after": "yesterday"}, "invalid_moment"),
        ({"created_before": "0001-01-01T00:00:00+23:59"}, "invalid_moment"),
        ({"workflow": "x"}, "unknown_filter"),
        ({"q": "\0"}, "invalid"),
        ({"user": "\0"}, "invalid"),
    ],
)
def test_what_makes_no_sense_is_refused(api, adam, query, code):
    answer = api(adam).get(URL, query)
    assert answer.status_code == 400
    assert answer.json()["details"]["errors"][0]["code"] == code


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
    with django_assert_num_queries(2):  # the session, the rows
        client.get(URL)
    for owner in (alice, bob) * 3:
        make_run(owner)
    with django_assert_num_queries(2):
        assert len(client.get(URL).json()["results"]) == 7
