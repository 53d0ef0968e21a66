"""GET /api/admin/stats."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from hummbl import cache
from tests.factories import make_definition, make_execution, make_task, make_user, make_workflow
from tests.workflows.pages.runs import make_attempt, make_run
from workflows.models import Execution, SpendEntry, Worker

URL = "/api/admin/stats"
STATUSES = {"pending", "running", "waiting", "completed", "failed", "cancelled"}


@pytest.fixture
def read(api, adam):
    def get():
        answer = api(adam).get(URL)
        assert answer.status_code == 200, answer.json()
        return answer.json()

    return get


def moved(run, **ago):
    moment = timezone.now() - timedelta(**ago)
    Execution.objects.filter(pk=run.pk).update(created_at=moment)
    return run


def test_nothing_yet(read):
    found = read()
    assert found["executions"]["all"] == {
        "total": 0,
        "by_status": dict.fromkeys(STATUSES, 0),
        "success_rate": None,
    }
    assert found["queue"] == {
        "pending": 0,
        "running": 0,
        "waiting": 0,
        "oldest_pending_seconds": None,
        "workers_alive": 0,
    }
    assert found["durations"] == {"runs": 0, "p50": None, "p95": None}
    assert found["spend"] == dict.fromkeys(("today", "last_7_days", "last_30_days"), "0.00000000")
    assert len(found["days"]) == 30
    assert found["models"] == []
    assert found["database_bytes"] > 0


def test_users_and_workflows(read, alice, vera):
    make_user("gone@example.com", is_active=False)
    make_workflow(alice, status="paused")
    make_workflow(alice)
    found = read()
    assert found["users"] == {"active": {"admin": 1, "user": 1, "viewer": 1}, "inactive": 1}
    assert found["workflows"] == {"draft": 0, "active": 1, "paused": 1, "archived": 0}


def test_executions_by_period(read, alice):
    make_run(alice)
    moved(make_run(alice, "failed"), days=3)
    moved(make_run(alice), days=20)
    moved(make_run(alice, "cancelled"), days=50)
    found = read()["executions"]
    assert [found[name]["total"] for name in found] == [1, 2, 3, 4]
    assert list(found) == ["today", "last_7_days", "last_30_days", "all"]
    assert found["last_7_days"]["by_status"]["failed"] == 1
    assert found["today"]["success_rate"] == 1
    # A cancelled run is neither a success nor a failure.
    assert found["all"]["success_rate"] == pytest.approx(2 / 3)


def test_tests_of_single_tasks_are_no_runs(read, alice):
    run = make_run(alice, "failed")
    Execution.objects.filter(pk=run.pk).update(
        trigger="test", definition=make_definition(make_task("one"))
    )
    assert read()["executions"]["all"]["total"] == 0


def test_durations_are_those_of_completed_runs_of_a_week(read, alice):
    workflow = make_workflow(alice)
    now = timezone.now()
    for seconds in range(1, 21):
        run = make_run(alice, workflow=workflow)
        Execution.objects.filter(pk=run.pk).update(
            started_at=now - timedelta(seconds=seconds), completed_at=now
        )
    moved(make_run(alice), days=8)
    make_run(alice, "failed")
    assert read()["durations"] == {"runs": 20, "p50": 10, "p95": 19}


def test_queue_and_workers(read, alice):
    first = moved(make_execution(make_workflow(alice)), minutes=10)
    moved(make_execution(first.workflow), minutes=5)
    make_run(alice, "running")
    Worker.objects.create(name="a", version="1", seen_at=Now())
    Worker.objects.create(name="b", version="1", seen_at=Now() - timedelta(minutes=1))
    queue = read()["queue"]
    assert (queue["pending"], queue["running"], queue["workers_alive"]) == (2, 1, 1)
    assert 600 <= queue["oldest_pending_seconds"] < 660


def test_models_have_calls_spend_tasks_and_tokens(read, alice):
    tokens = {"model": "smollm2-135m", "input_tokens": 70, "output_tokens": 30, "attempts": 2}
    run = make_run(alice, tasks={"gather": tokens, "report": {**tokens, "attempts": 1}})
    make_attempt(run, "gather", 1, settled="0.5", error="slow")
    make_attempt(run, "gather", 2, settled=None)  # 0.02 is reserved
    make_attempt(run, "report", 1, settled="1")
    dear = make_attempt(run, "other", 1, settled="9")
    SpendEntry.objects.filter(pk=dear.pk).update(provider="anthropic", model="claude")
    old = make_attempt(run, "old", 1, settled="100", at=timezone.now() - timedelta(days=8))
    assert old.model == "smollm2-135m"

    first, second = read()["models"]

    assert (first["provider"], first["model"], first["spend"]) == (
        "anthropic",
        "claude",
        "9.00000000",
    )
    assert (first["calls"], first["tasks"], first["input_tokens"]) == (1, 0, 0)
    assert second == {
        "provider": "local",
        "model": "smollm2-135m",
        "calls": 3,
        "spend": "1.52000000",
        "tasks": 2,
        "input_tokens": 140,
        "cached_tokens": 0,
        "output_tokens": 60,
    }


def test_spend_by_period_and_day(read, alice):
    run = make_run(alice)
    for number, (amount, age) in enumerate((("1", 0), ("2", 3), ("4", 20), ("8", 50)), start=1):
        at = timezone.now() - timedelta(days=age)
        make_attempt(run, "gather", number, settled=amount, at=at)
    found = read()
    assert [Decimal(amount) for amount in found["spend"].values()] == [1, 3, 7]
    assert Decimal(found["days"][-1]["spend"]) == 1
    assert Decimal(found["days"][-4]["spend"]) == 2
    assert found["days"][-1]["by_status"]["completed"] == 1


def test_the_history_is_read_once_a_minute_and_the_queue_each_time(
    read, alice, django_assert_num_queries
):
    read()
    make_execution(make_workflow(alice))
    found = read()
    assert found["executions"]["all"]["total"] == 0
    assert found["queue"]["pending"] == 1
    assert found["cache"]["statistics"] == {"hits": 1, "misses": 1}


def test_queries_do_not_grow_with_rows(api, adam, alice, django_assert_num_queries):
    client = api(adam)
    for _ in range(2):
        make_attempt(make_run(alice), "gather")
        cache.clear()
        # The session; the queue and the workers; users, workflows, executions, their days, the
        # ledger's days, durations, calls, tokens and the size of the database.
        with django_assert_num_queries(12):
            client.get(URL)
    with django_assert_num_queries(3):
        client.get(URL)


def test_anonymous(api, db):
    assert api().get(URL).status_code == 401


@pytest.mark.parametrize("who", ["alice", "vera"])
def test_other_roles(api, request, who):
    answer = api(request.getfixturevalue(who)).get(URL)
    assert answer.status_code == 403
    assert answer.json()["code"] == "admin_only"


def test_filters_and_other_methods_are_refused(api, adam):
    assert api(adam).get(URL, {"status": "failed"}).status_code == 400
    assert api(adam).post(URL, {}).status_code == 405
