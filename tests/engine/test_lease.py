"""Claim, fence, renewal and hand-over, with two stores on one database."""

import asyncio
import contextlib
from datetime import timedelta

import psycopg
import pytest
from django.db.models.functions import Now
from django.utils import timezone

from tests.engine.support import Script, UntilIdle, check_truth, statuses, unbounded, work
from tests.engine.support import run as run_worker
from tests.factories import make_execution, make_workflow
from tests.processes import PATIENCE, wait_for
from workflows.engine.records import Batch
from workflows.engine.store import open_store
from workflows.engine.writer import Stop
from workflows.models import Execution, ExecutionEvent, Worker

pytestmark = pytest.mark.django_db(transaction=True)

LEASE = 30.0


@pytest.fixture
def stores():
    made = [open_store("first", LEASE), open_store("second", LEASE)]
    yield made
    for store in made:
        store.close()


def expire(execution) -> None:
    Execution.objects.filter(pk=execution.pk).update(
        lease_expires_at=timezone.now() - timedelta(seconds=1)
    )


def change(state, *, status="running") -> Batch:
    """A batch that starts the execution and its first task."""
    now = "2026-01-01 00:00:00"
    state.sequence += 1
    state.status = status
    task = state.tasks[0]
    task.status = "running"
    batch = Batch(tokens={state.pk: state.token}, executions={state.pk: state.row(now)})
    batch.tasks[task.pk] = task.row(state.pk, now)
    event_id = f"{state.token:016x}{state.pk[:16]}"
    batch.events.append((state.pk, event_id, state.pk, state.sequence, "execution", "{}", now))
    return batch


def test_an_execution_is_claimed_once(alice, stores):
    first, second = stores
    executions = {make_execution(make_workflow(alice)).pk.hex for _ in range(5)}

    mine, yours = first.claim(3), second.claim(10)

    assert (len(mine), len(yours)) == (3, 2)
    assert {state.pk for state in mine + yours} == executions
    assert not first.claim(10)
    assert all(state.token == 1 for state in mine + yours)
    assert [task.task_id for task in mine[0].tasks] == ["gather", "report"]


def test_the_oldest_is_claimed_first(alice, stores):
    executions = [make_execution(make_workflow(alice)) for _ in range(3)]
    (state,) = stores[0].claim(1)
    assert state.pk == executions[0].pk.hex


def test_a_worker_does_not_claim_what_it_holds_itself(alice, stores):
    """Whoever wakes up after its lease has expired renews it, else it runs everything twice."""
    first, second = stores
    execution = make_execution(make_workflow(alice))
    (state,) = first.claim(1)
    expire(execution)

    assert first.claim(10) == []
    assert first.renew() == [(state.pk, False)]
    assert second.claim(10) == []
    assert first.apply(change(state)) == set()


def test_only_those_that_are_asked_for_are_claimed(alice, stores):
    first, second = stores
    one, two, three = (make_execution(make_workflow(alice)).pk.hex for _ in range(3))

    assert [state.pk for state in first.claim(2, [two])] == [two]
    assert [state.pk for state in second.claim(2, [two, three])] == [three]
    assert second.claim(1, [two]) == []
    assert [state.pk for state in second.claim(5)] == [one]


def test_a_stale_worker_writes_nothing(alice, stores):
    first, second = stores
    execution = make_execution(make_workflow(alice))
    (stale,) = first.claim(1)
    expire(execution)
    (current,) = second.claim(1)
    assert current.token == stale.token + 1

    assert first.apply(change(stale)) == {stale.pk}

    execution.refresh_from_db()
    assert execution.status == "pending"
    assert statuses(execution)["gather"] == "pending"
    assert ExecutionEvent.objects.count() == 1
    assert second.apply(change(current)) == set()


def test_one_lost_lease_does_not_undo_the_others(alice, stores):
    first, second = stores
    lost, kept = (make_execution(make_workflow(alice)) for _ in range(2))
    states = first.claim(2)
    expire(lost)
    second.claim(1)
    batch = change(states[0])
    batch.merge(change(states[1]))

    assert first.apply(batch) == {lost.pk.hex}

    lost.refresh_from_db()
    kept.refresh_from_db()
    assert (lost.status, kept.status) == ("pending", "running")
    assert statuses(kept)["gather"] == "running"
    assert statuses(lost)["gather"] == "pending"


def test_the_fence_holds_against_a_claim_that_commits_in_the_middle(alice, stores, is_postgres):
    """A conditional UPDATE alone is no fence on PostgreSQL: the claim may commit meanwhile."""
    if not is_postgres:
        pytest.skip("SQLite has one writer at a time: there is no middle.")
    import threading

    first, second = stores
    execution = make_execution(make_workflow(alice))
    (stale,) = first.claim(1)
    expire(execution)
    lost: list[set[str]] = []
    with second.transaction() as cursor:
        (pk,) = second._take(cursor, 1)
        # The stale writer begins while the claim is not committed, and has to wait for it.
        late = threading.Thread(target=lambda: lost.append(first.apply(change(stale))))
        late.start()
        late.join(0.5)
        assert late.is_alive()
    late.join(PATIENCE)
    assert lost == [{pk}]
    execution.refresh_from_db()
    assert execution.status == "pending"


def test_a_worker_that_sleeps_in_a_transaction_is_evicted(alice, is_postgres):
    if not is_postgres:
        pytest.skip("SQLite has one writer at a time, and nobody who could end its transaction.")
    sleeper, other = open_store("sleeper", 0.2), open_store("other", 0.2)
    execution = make_execution(make_workflow(alice))
    transaction = sleeper.transaction()
    cursor = transaction.__enter__()
    assert sleeper._take(cursor, 1) == [execution.pk.hex]

    claimed = wait_for(lambda: other.claim(1), what="the execution is claimed")

    assert claimed[0].pk == execution.pk.hex
    with pytest.raises(psycopg.OperationalError):
        cursor.execute("SELECT 1").fetchone()
    with contextlib.suppress(psycopg.OperationalError):
        transaction.__exit__(None, None, None)
    for store in (sleeper, other):
        store.close()


def test_renewal_lengthens_our_leases_and_tells_what_we_hold(alice, stores):
    first, second = stores
    executions = [make_execution(make_workflow(alice)) for _ in range(2)]
    first.claim(2)
    for execution in executions:
        expire(execution)
    second.claim(1)
    Execution.objects.filter(pk=executions[1].pk).update(cancel_requested_at=timezone.now())

    assert first.renew() == [(executions[1].pk.hex, True)]
    assert first.cancelled() == [executions[1].pk.hex]
    assert second.cancelled() == []
    alive = Execution.objects.filter(lease_expires_at__gt=Now())
    assert alive.count() == 2


def test_what_is_handed_back_can_be_claimed_at_once(alice, stores):
    first, second = stores
    make_execution(make_workflow(alice))
    (stale,) = first.claim(1)

    assert first.hand_back() == 1

    assert len(second.claim(5)) == 1
    assert first.apply(change(stale)) == {stale.pk}


def test_a_stopped_worker_hands_over_in_the_middle(alice):
    execution = make_execution(make_workflow(alice))
    stopped = []

    async def stop():
        stopped[0].stop()
        await asyncio.sleep(60)

    first = UntilIdle(complete=Script(gather=[stop]), slot=unbounded)
    stopped.append(first)
    run_worker(first)
    execution.refresh_from_db()
    assert (execution.status, execution.lease_owner) == ("running", "")
    assert not Worker.objects.exists()

    script = Script()
    work(script)

    check_truth(execution)
    assert execution.status == "completed"
    assert script.calls == {"gather": 1, "report": 1}
    assert execution.tasks.get(task_id="gather").attempts == 2


def test_completed_tasks_are_kept_after_a_crash(alice):
    execution = make_execution(make_workflow(alice))

    class Crashing(UntilIdle):
        """Dies as SIGKILL would: nothing is handed back."""

        async def _hand_over(self):
            self._abandon_all()
            self._writer.submit(Stop(hand_back=False))
            self._writer.join(PATIENCE)
            await self._close()

    crashing = []

    async def die():
        crashing[0].stop()
        await asyncio.sleep(60)

    crashing.append(Crashing(complete=Script(report=[die]), slot=unbounded, lease=0.5))
    run_worker(crashing[0])
    assert statuses(execution) == {"gather": "completed", "report": "running"}
    expire(execution)

    script = Script()
    work(script)

    check_truth(execution)
    assert script.calls == {"report": 1}
    assert script.prompt("report").endswith("gather done")
    assert execution.tasks.get(task_id="report").attempts == 2


def test_a_worker_whose_lease_is_taken_stops_at_once(alice):
    """The thief bumps the token, as a claim does; the worker must not write the end."""
    execution = make_execution(make_workflow(alice))

    def steal():
        from django.db import connection
        from django.db.models import F

        Execution.objects.filter(pk=execution.pk).update(
            lease_owner="thief", lease_token=F("lease_token") + 1
        )
        connection.close()

    async def robbed():
        await asyncio.to_thread(steal)
        from tests.engine.support import completion

        return completion("too late")

    script = Script(gather=[robbed])
    worker = UntilIdle(complete=script, slot=unbounded)

    lost = []
    original = worker._lose
    worker._lose = lambda pk: (lost.append(pk), original(pk), worker.stop())
    run_worker(worker)

    assert lost == [execution.pk.hex]
    execution.refresh_from_db()
    assert execution.status == "running"
    assert statuses(execution)["gather"] == "running"
    assert script.calls == {"gather": 1}
