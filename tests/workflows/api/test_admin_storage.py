"""GET /api/admin/storage."""

import os
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from hummbl import cache, retention, table_sizes
from tests.factories import make_workflow
from tests.workflows.aged import make_ended
from tests.workflows.pages.runs import make_run
from workflows.figures import storage
from workflows.models import Execution, TaskResult, Workflow

URL = "/api/admin/storage"


@pytest.fixture
def read(api, adam):
    client = api(adam)

    def get():
        cache.clear()
        answer = client.get(URL)
        assert answer.status_code == 200, answer.json()
        return answer.json()

    return get


def analyse():
    """PostgreSQL guesses rows from what it knows; let it know."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def fill(owner, name, runs, text):
    """A workflow whose tasks have such prompts."""
    workflow = make_workflow(owner, name=name)
    for _ in range(runs):
        make_run(owner, workflow=workflow)
    TaskResult.objects.filter(execution__workflow=workflow).update(input=text)
    return workflow


def test_nothing_yet(read):
    found = read()
    assert found["workflows"] == []
    assert found["other_workflows"] is None
    assert found["runs"] == {
        "executions": 0,
        "oldest_at": None,
        "executions_a_day": 0.0,
        "bytes_a_day": 0,
    }
    assert found["last_cleanup"] is None
    assert found["database"]["engine"] == connection.vendor


def test_the_parts_add_up(read, alice):
    fill(alice, "Report", 3, "word " * 200)
    analyse()
    found = read()
    tables = {table["table"]: table for table in found["tables"]}
    assert tables["workflows_execution"]["rows"] == 3
    for table in found["tables"]:
        parts = table["row_bytes"] + table["index_bytes"] + table["toast_bytes"]
        assert table["bytes"] == parts > 0
    sizes = [table["bytes"] for table in found["tables"]]
    assert sizes == sorted(sizes, reverse=True)
    assert 0 < sum(sizes) <= found["database"]["bytes"]
    assert found["table_sizes_exact"] is True
    assert not found["workflows_sampled"]
    # What runs take is what their tables take.
    (report,) = found["workflows"]
    for part, table in (("execution", "execution"), ("task", "taskresult")):
        assert report[f"{part}_bytes"] == tables[f"workflows_{table}"]["bytes"]
    assert report["bytes"] == sum(
        report[f"{part}_bytes"] for part in ("execution", "task", "event")
    )


def test_the_biggest_workflows_come_first(read, alice, bob, monkeypatch):
    small = fill(alice, "Small", 3, "")
    # Random, or it would be compressed away.
    big = fill(bob, "Big", 1, os.urandom(200_000).hex())
    analyse()
    assert [row["workflow_id"] for row in read()["workflows"]] == [str(big.pk), str(small.pk)]

    monkeypatch.setattr(storage, "SHOWN", 1)
    found = read()
    (first,) = found["workflows"]
    assert (first["workflow_name"], first["owner_email"]) == ("Big", bob.email)
    assert first["executions"] == 1
    rest = found["other_workflows"]
    assert (rest["workflows"], rest["executions"]) == (1, 3)
    assert 0 < rest["bytes"] < first["bytes"]


def test_a_sample_stands_for_the_rest(read, alice, monkeypatch):
    """However many rows there are, only so many are looked at."""
    fill(alice, "Report", 40, "word " * 500)
    analyse()
    exact = read()["workflows"][0]["task_bytes"]
    monkeypatch.setattr(storage, "SAMPLE", 30)
    found = read()
    assert found["workflows_sampled"]
    # All are of one workflow: whatever the sample is, its share is everything. On PostgreSQL a
    # sample is of whole blocks, and may be none of the few that there are here.
    none = {0} if connection.vendor == "postgresql" else set()
    assert found["workflows"][0]["task_bytes"] in {exact} | none


def test_growth_and_the_oldest_run(read, alice):
    workflow = make_workflow(alice)
    old, *_ = (make_run(alice, workflow=workflow) for _ in range(3))
    moment = timezone.now() - timedelta(days=100)
    Execution.objects.filter(pk=old.pk).update(created_at=moment)
    runs = read()["runs"]
    assert runs["executions"] == 3
    assert runs["oldest_at"] == moment.isoformat().replace("+00:00", "Z")
    assert runs["executions_a_day"] == pytest.approx(2 / 7)
    assert runs["bytes_a_day"] > 0


def test_growth_counts_the_ledger_and_not_runs_whose_events_are_gone(read, alice):
    """What a run takes is asked of the rows that it brings, not of the runs that are kept."""
    workflow = make_workflow(alice)
    for _ in range(5):
        make_ended(workflow, days=0)
    analyse()
    before = read()["runs"]["bytes_a_day"]
    tables = {table["table"]: table["bytes"] for table in read()["tables"]}
    kinds = ("execution", "taskresult", "executionevent", "spendentry")
    assert before == pytest.approx(sum(tables[f"workflows_{kind}"] for kind in kinds), rel=0.01)
    # Runs that came earlier and have no events any more.
    old = timezone.now() - timedelta(days=40)
    for _ in range(5):
        ended = make_ended(workflow, days=40)
        ended.events.all().delete()
        Execution.objects.filter(pk=ended.pk).update(created_at=old)
    analyse()
    growth = read()["runs"]
    assert growth["executions_a_day"] == pytest.approx(5 / 7)
    tables = {table["table"]: table["bytes"] for table in read()["tables"]}
    # All events, and half of everything else.
    expected = sum(
        tables[f"workflows_{kind}"] / (1 if kind == "executionevent" else 2) for kind in kinds
    )
    assert growth["bytes_a_day"] == pytest.approx(expected / 7, rel=0.05)


def test_what_the_last_clean_up_did(read, api, alice):
    api(alice)
    alice.sessions.update(expires_at=timezone.now() - timedelta(days=400))
    retention.run()
    found = read()
    assert found["last_cleanup"]["deleted"]["sessions"] == 1
    rules = {rule["name"]: rule["description"] for rule in found["rules"]}
    assert rules.keys() == found["last_cleanup"]["deleted"].keys()
    assert "RETENTION_AUDIT, 365 days" in rules["audit log"]


def test_sizes_are_estimated_where_sqlite_does_not_tell(read, alice, monkeypatch, is_postgres):
    if is_postgres:
        pytest.skip("PostgreSQL always tells")
    fill(alice, "Report", 3, "word " * 200)
    monkeypatch.setattr(table_sizes, "_HAS_DBSTAT", "SELECT 0")
    found = read()
    assert found["table_sizes_exact"] is False
    tables = {table["table"]: table for table in found["tables"]}
    assert tables["workflows_execution"]["rows"] == 3
    assert tables["workflows_taskresult"]["bytes"] > tables["workflows_workflow"]["bytes"] > 0
    total = sum(table["bytes"] for table in found["tables"])
    used = found["database"]["bytes"] - found["database"]["log_bytes"]
    assert total == pytest.approx(used - found["database"]["free_bytes"], abs=100)


def test_is_measured_once_in_ten_minutes(api, adam, alice):
    client = api(adam)
    first = client.get(URL).json()
    make_run(alice)
    assert client.get(URL).json() == first


@pytest.mark.parametrize("who", ["alice", "vera"])
def test_other_roles_are_refused(api, request, who):
    assert api(request.getfixturevalue(who)).get(URL).status_code == 403


def test_strangers_are_refused(api, db):
    assert api().get(URL).status_code == 401


def test_unknown_parameters_are_refused(api, adam):
    assert api(adam).get(f"{URL}?workflow=1").status_code == 400


def test_queries_do_not_grow_with_rows(read, alice, django_assert_max_num_queries):
    for _ in range(2):
        for n in range(3):
            fill(alice, f"Report {n} {Workflow.objects.count()}", 2, "text")
        with django_assert_max_num_queries(22):
            read()
