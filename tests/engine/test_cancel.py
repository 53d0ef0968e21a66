"""Cancel is honest: what is in flight is aborted, and nothing becomes a success later."""

import asyncio
from decimal import Decimal

import pytest
from django.db import connection

from hummbl.errors import Conflict
from tests.engine.support import Script, check_truth, statuses, work
from tests.factories import make_execution, make_workflow
from workflows.models import Execution, SpendEntry

pytestmark = pytest.mark.django_db(transaction=True)


def cancel(execution: Execution, user) -> None:
    """For a thread, whose connection would outlive the test."""
    try:
        Execution.objects.get(pk=execution.pk).cancel(by=user)
    finally:
        connection.close()


def test_before_a_worker_has_it(alice, dispatcher):
    execution = make_execution(make_workflow(alice))

    execution.cancel(by=alice)

    check_truth(execution)
    assert execution.status == "cancelled"
    assert set(statuses(execution).values()) == {"cancelled"}
    script = Script()
    work(script)
    assert not script.requests


def test_in_flight(alice, dispatcher):
    execution = make_execution(make_workflow(alice))
    aborted = []

    async def slow():
        try:
            await asyncio.to_thread(cancel, execution, alice)
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            aborted.append(True)
            raise

    script = Script(gather=[slow])
    work(script)

    check_truth(execution)
    assert aborted == [True]
    assert execution.status == "cancelled"
    assert statuses(execution) == {"gather": "cancelled", "report": "cancelled"}
    assert script.calls == {"gather": 1}
    entry = SpendEntry.objects.get(execution_id=execution.pk)
    assert entry.settled == entry.reserved == Decimal(0)


def test_while_it_waits_for_the_next_attempt(alice):
    from tests.engine.support import failure

    execution = make_execution(make_workflow(alice))

    async def fail():
        asyncio.get_running_loop().run_in_executor(None, cancel, execution, alice)
        raise failure(retry_after=60)

    work(Script(gather=[fail]))

    check_truth(execution)
    assert execution.status == "cancelled"


def test_without_a_wake_up_the_worker_notices_by_itself(alice, monkeypatch):
    from workflows.engine import wake

    monkeypatch.setattr(wake, "notify_after_commit", lambda kind: None)
    execution = make_execution(make_workflow(alice))

    async def slow():
        await asyncio.to_thread(cancel, execution, alice)
        await asyncio.sleep(3600)

    work(Script(gather=[slow]))

    check_truth(execution)
    assert execution.status == "cancelled"


def test_twice_and_after_the_end(alice):
    execution = make_execution(make_workflow(alice))
    execution.cancel(by=alice)
    with pytest.raises(Conflict, match="already been cancelled"):
        execution.cancel(by=alice)

    other = make_execution(make_workflow(alice))
    work()
    with pytest.raises(Conflict, match="already completed"):
        other.cancel(by=alice)
    other.refresh_from_db()
    assert other.status == "completed"
