"""What goes of executions, and when; and that nothing else does."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from hummbl import retention
from tests.factories import make_definition, make_execution, make_task, make_workflow
from tests.workflows.aged import exists, kinds, make_call, make_ended
from workflows import housekeeping
from workflows.models import Execution, ExecutionEvent, History, SpendEntry, TaskResult, Worker


@pytest.fixture
def workflow(alice):
    return make_workflow(alice)


def deleted():
    results = retention.run()
    assert [result.problem for result in results if result.problem] == []
    return {result.name: result.rows for result in results if result.rows}


def previewed():
    return {result.name: result.rows for result in retention.preview() if result.rows}


def test_by_age_first_the_live_text_then_the_history_then_all(workflow):
    fresh, day, month, quarter = (
        make_ended(workflow, days=days) for days in (0.9, 1.1, 30.1, 90.1)
    )
    under_way = make_execution(workflow)
    Execution.objects.filter(pk=under_way.pk).update(
        created_at=timezone.now() - timedelta(days=400)
    )
    # 10 events of each: the first, for each of two tasks three pieces and the end, the last.
    expected = {"executions": 1 + 2 + 10, "histories": 10, "live text": 6}

    assert previewed() == expected
    assert deleted() == expected
    assert deleted() == {}

    assert kinds(fresh) == {"execution", "delta", "task"}
    assert kinds(day) == {"execution", "task"}
    assert kinds(month) == set()
    assert not exists(quarter)
    assert exists(under_way)
    assert kinds(under_way) == {"execution"}
    histories = dict(Execution.objects.values_list("pk", "history"))
    assert histories[fresh.pk] == histories[under_way.pk] == History.WHOLE
    assert histories[day.pk] == History.SHORT
    assert histories[month.pk] == History.NONE
    assert sorted(month.tasks.values_list("output", flat=True)) == ["gather done", "report done"]
    assert not TaskResult.objects.filter(execution_id=quarter.pk).exists()
    assert SpendEntry.objects.filter(execution_id=quarter.pk).count() == 2


def test_how_long_is_for_the_operator_to_say(workflow, settings):
    settings.RETENTION_EXECUTIONS, settings.RETENTION_EVENTS = 2, 0.5
    ended = [make_ended(workflow, days=days) for days in (0.4, 0.6, 2.1)]
    assert deleted() == {"executions": 13, "histories": 10}
    assert [exists(each) for each in ended] == [True, True, False]
    assert [len(kinds(each)) for each in ended] == [3, 0, 0]


def test_empty_settings_keep_for_good(workflow, settings):
    for name in ("EXECUTIONS", "EVENTS", "SPEND", "AUDIT", "SESSIONS"):
        setattr(settings, f"RETENTION_{name}", None)
    old = make_ended(workflow, days=4000)
    said = {result.name: result.description for result in retention.preview()}
    assert said["executions"] == "kept for good: RETENTION_EXECUTIONS is empty"
    # The text is there twice as long as it is live, and no longer.
    assert deleted() == {"live text": 6}
    assert exists(old)


def test_what_came_of_it_stays(workflow):
    parent = make_ended(workflow, days=91)
    rerun = make_ended(workflow, days=1.5, parent=parent)
    reused, source = rerun.tasks.first(), parent.tasks.first()
    TaskResult.objects.filter(pk=reused.pk).update(reused_from=source)

    deleted()

    assert not exists(parent)
    rerun.refresh_from_db()
    reused.refresh_from_db()
    assert rerun.parent is None
    assert reused.reused_from is None
    assert reused.output == "gather done"


class Batches:
    """The rows that each transaction deletes."""

    def __init__(self, monkeypatch, limit):
        self.rows = []
        monkeypatch.setattr(retention, "BATCH", limit)
        atomic = retention.transaction.atomic

        def begin(*names, **options):
            if not names and not options:  # as a batch begins, and nothing within it
                self.rows.append(0)
            return atomic(*names, **options)

        monkeypatch.setattr(retention.transaction, "atomic", begin)

    def __call__(self, execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if sql.startswith("DELETE"):
            self.rows[-1] += context["cursor"].rowcount
        return result


def test_no_transaction_deletes_more_rows_than_it_may(workflow, monkeypatch):
    """Those of all tables together; one execution with more rows goes in parts."""
    for _ in range(4):
        make_ended(workflow, days=91, texts=1)
    make_ended(workflow, days=91, texts=20)
    make_ended(workflow, days=31, texts=20)
    make_ended(workflow, days=2, texts=20)
    for _ in range(12):
        make_ended(workflow, days=2, texts=0)
    batches = Batches(monkeypatch, limit=10)

    with connection.execute_wrapper(batches):
        found = deleted()

    assert max(batches.rows) == 10
    assert sum(batches.rows) == sum(found.values())
    assert found == {"executions": 4 * 9 + 47, "histories": 44, "live text": 40}
    assert Execution.objects.count() == 14
    assert not Execution.objects.filter(history=History.WHOLE).exists()


def test_stopped_in_the_middle_every_execution_is_whole(workflow, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 14)
    for _ in range(5):
        make_ended(workflow, days=91)
    for _ in range(5):
        make_ended(workflow, days=31)
    gone = Execution.objects.filter(history=History.NONE)
    for stopped in (
        lambda: Execution.objects.count() <= 7,
        lambda: Execution.objects.count() == 5 and gone.count() >= 2,
    ):
        retention.run(stopped=stopped)
        assert stopped()
        for execution in Execution.objects.all():
            assert execution.tasks.count() == execution.task_count
            count = execution.events.count()
            assert count == (0 if execution.history == History.NONE else execution.last_sequence)
    assert gone.count() < 5
    deleted()
    assert Execution.objects.count() == gone.count() == 5


def test_nobody_sees_a_large_execution_without_its_tasks(workflow):
    """However it ends: its events go first, in parts, then all the rest at once."""
    ended = make_ended(workflow, days=91, texts=6)
    seen = []
    while exists(ended):
        with transaction.atomic():
            housekeeping._EXECUTIONS.delete_batch(2)
        seen.append((ended.tasks.count(), ended.events.count()))
    assert seen == [(2, left) for left in range(14, -1, -2)] + [(0, 0)]


def test_cut_off_within_a_batch_nothing_has_happened(workflow, monkeypatch):
    make_ended(workflow, days=91)
    before = [model.objects.count() for model in (Execution, TaskResult, ExecutionEvent)]

    def fail(rows):
        raise DatabaseError("gone")

    real = housekeeping._delete
    monkeypatch.setattr(
        housekeeping, "_delete", lambda rows: fail(rows) if rows.model is Execution else real(rows)
    )
    results = {result.name: result for result in retention.run()}
    assert (results["executions"].rows, results["executions"].problem) == (0, "gone")
    after = [model.objects.count() for model in (Execution, TaskResult, ExecutionEvent)]
    assert after == before


def test_no_statement_reads_a_table_from_end_to_end(workflow, is_postgres):
    """Each finds its rows by an index, however many there are."""
    for days in (0.5, 2, 31, 91, 400):
        make_ended(workflow, days=days, texts=1)
    with CaptureQueriesContext(connection) as captured:
        assert len(deleted()) == 4
    asked = [q["sql"] for q in captured if q["sql"].startswith(("SELECT", "UPDATE", "DELETE"))]
    asked = [sql for sql in asked if '"workflows_' in sql and "workflows_worker" not in sql]
    assert len(asked) > 20
    with connection.cursor() as cursor:
        if is_postgres:
            cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in asked:
            cursor.execute(("EXPLAIN " if is_postgres else "EXPLAIN QUERY PLAN ") + sql)
            plan = "\n".join(str(row) for row in cursor.fetchall())
            scans = "Seq Scan on workflows_" if is_postgres else "SCAN workflows_"
            by_index = "USING INDEX" in plan or "USING COVERING INDEX" in plan
            assert scans not in plan or (by_index and not is_postgres), f"{sql}\n{plan}"


# --- Pages, API and streams of what has lost its events ---


@pytest.fixture
def aged(workflow, client, alice):
    """A failed run with two calls of each task, 31 days old."""
    execution = make_ended(workflow, days=31, calls=2, status="failed", error="It failed.")
    deleted()
    client.force_login(alice)
    return execution


def test_the_page_shows_results_and_calls(aged, client):
    assert kinds(aged) == set()
    for query in ("", "?view=timeline", "?task=report", "?view=list"):
        page = client.get(f"/executions/{aged.pk}{query}")
        assert page.status_code == 200
        assert "done" in page.content.decode()
    assert client.get(f"/executions/{aged.pk}/tasks/gather", headers={"hx-request": "true"})


def test_the_api_answers_as_before(aged, api, alice):
    answer = api(alice).get(f"/api/executions/{aged.pk}").json()
    assert [task["output"] for task in answer["task_results"]] == ["gather done", "report done"]


@pytest.mark.parametrize("after", [None, "0", "1", "99"])
def test_the_stream_has_nothing_to_tell(aged, api, alice, after):
    """204, which ends an EventSource: it would come back for ever."""
    headers = {"Last-Event-ID": after} if after else {}
    answer = api(alice).get(f"/api/executions/{aged.pk}/stream", headers=headers)
    assert answer.status_code == 204


# --- The ledger ---


@pytest.fixture
def gone(workflow):
    """An execution of which only the ledger is left."""
    execution = make_execution(workflow)
    workflow.executions.filter(pk=execution.pk).delete()
    return execution


def totals():
    found = SpendEntry.objects.order_by().aggregate(Sum("calls"), Sum("settled"))
    return found["calls__sum"], Decimal(found["settled__sum"])


def test_old_calls_become_sums_that_say_the_same(gone, alice):
    for number in range(1, 8):
        make_call(gone, days=400, attempt=number)
    make_call(gone, days=400, attempt=8, model="gpt-5")
    make_call(gone, days=400, attempt=9, settled=None)
    make_call(gone, days=402, attempt=10)
    young = make_call(gone, days=364, attempt=11)
    spent, by_day, before = (
        SpendEntry.objects.all().spent(),
        SpendEntry.objects.all().spent_by_day(),
        totals()[0],
    )

    assert deleted() == {"calls": 10}
    assert deleted() == {}

    assert SpendEntry.objects.count() == 4
    assert SpendEntry.objects.get(pk=young.pk).calls == 1
    assert SpendEntry.objects.all().spent() == spent
    assert SpendEntry.objects.all().spent_by_day() == by_day
    assert totals()[0] == before
    big = SpendEntry.objects.get(calls=8)
    assert big.settled == Decimal("0.09")  # the call without a bill counts as reserved
    assert big.user == alice


def test_later_calls_are_added_to_their_sum(gone, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(1, 6):
        make_call(gone, days=400, attempt=number)
    assert deleted() == {"calls": 5}
    make_call(gone, days=400, attempt=6)
    assert deleted() == {"calls": 1}
    (entry,) = SpendEntry.objects.all()
    assert (entry.calls, entry.settled) == (6, Decimal("0.06"))


def test_calls_stay_as_long_as_their_execution(workflow, settings):
    settings.RETENTION_SPEND, settings.RETENTION_EXECUTIONS = 1, 10
    execution = make_ended(workflow, days=9)
    under_way = make_execution(workflow)
    make_call(under_way, days=20)
    assert "calls" not in deleted()
    settings.RETENTION_EXECUTIONS = 8
    assert deleted()["calls"] == 2
    assert not SpendEntry.objects.filter(execution_id=execution.pk).exists()
    assert SpendEntry.objects.filter(execution_id=under_way.pk).count() == 1


def test_workers_that_died(db):
    now = timezone.now()
    # The last one died while the clock was a year ahead.
    for name, days in (("dead", 1.1), ("alive", 0), ("silent", 0.9), ("ahead", -365)):
        Worker.objects.create(name=name, version="1", seen_at=now - timedelta(days=days))
    assert [worker.name for worker in Worker.objects.alive()] == ["alive"]
    assert deleted() == {"workers": 2}
    assert sorted(Worker.objects.values_list("name", flat=True)) == ["alive", "silent"]


def test_a_deleted_workflow_meanwhile(workflow):
    """Its executions went with it; what is left of the rule finds nothing."""
    make_ended(workflow, days=91)
    workflow.delete(by=workflow.owner)
    assert deleted() == {}


def test_what_another_clean_up_did_meanwhile_stays_done(workflow, monkeypatch):
    ended = make_ended(workflow, days=31, history=History.NONE)
    found = [[ended.pk]] * 3  # once by each rule
    monkeypatch.setattr(housekeeping.Expiry, "_candidates", lambda *_: found.pop() if found else [])

    assert deleted() == {}
    assert not found

    ended.refresh_from_db()
    assert ended.history == History.NONE


def test_every_reference_to_an_execution_is_known():
    """A new table that refers to executions or tasks has to go, or to let go, with them."""
    found = {
        (field.related_model.__name__, field.field.name)
        for model in (Execution, TaskResult, ExecutionEvent)
        for field in model._meta.get_fields(include_hidden=True)
        if field.one_to_many
    }
    assert found == {
        ("TaskResult", "execution"),
        ("ExecutionEvent", "execution"),
        ("Execution", "parent"),
        ("TaskResult", "reused_from"),
    }


def test_an_execution_with_very_many_tasks(alice, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 10)
    tasks = [make_task(f"task_{n}") for n in range(25)]
    make_ended(make_workflow(alice, definition=make_definition(*tasks)), days=91, texts=0)
    assert deleted() == {"executions": 1 + 25 + 27}
    assert not Execution.objects.exists()
