"""The ledger and the cap of an execution."""

from decimal import Decimal

import pytest

from tests.engine.support import Script, check_truth, completion, failure, results, work
from tests.factories import (
    make_agent,
    make_definition,
    make_execution,
    make_key,
    make_task,
    make_workflow,
)
from workflows.engine import retry
from workflows.models import SpendEntry

pytestmark = pytest.mark.django_db(transaction=True)

PRICED = {"provider": "openai", "model": "gpt-4.1-mini", "max_tokens": 1000}


def priced_workflow(user, *tasks, **agent):
    make_key(user)
    definition = make_definition(*tasks, agents=[make_agent(**(PRICED | agent))])
    return make_workflow(user, definition=definition)


def test_an_attempt_reserves_an_upper_bound_and_settles_what_it_cost(alice):
    execution = make_execution(priced_workflow(alice, make_task("one")))

    work(Script(one=[completion("x", cost=Decimal("0.00012"))]))

    check_truth(execution)
    entry = SpendEntry.objects.get(execution_id=execution.pk)
    assert entry.reserved > entry.settled == Decimal("0.00012") == execution.cost
    assert (entry.user, entry.workflow_label, entry.attempt) == (alice, "Report", 1)
    assert (entry.provider, entry.model) == ("openai", "gpt-4.1-mini")


def test_a_failure_that_may_be_billed_counts_in_full(alice, monkeypatch):
    monkeypatch.setattr(retry, "BASE_SECONDS", 0.001)
    execution = make_execution(priced_workflow(alice, make_task("one")))

    work(Script(one=[failure("timeout", maybe_billed=True), failure(), "at last"]))

    check_truth(execution)
    first, second, third = SpendEntry.objects.filter(execution_id=execution.pk).order_by("attempt")
    assert first.settled == first.reserved > 0
    assert second.settled == 0
    assert third.settled == Decimal("0.0001")
    assert execution.cost == first.settled + third.settled


def test_a_call_that_could_break_the_cap_is_not_made(alice):
    tasks = [make_task("one"), make_task("two", "one")]
    execution = make_execution(priced_workflow(alice, *tasks), cost_cap=Decimal("0.0025"))
    script = Script(one=[completion("x", cost=Decimal("0.0016"))])

    work(script)

    check_truth(execution)
    two = results(execution)["two"]
    assert script.calls == {"one": 1}
    assert (two.status, two.error_code, two.attempts) == ("failed", "budget_refused", 0)
    assert "Raise the cap" in two.error
    assert execution.cost <= execution.cost_cap


def test_parallel_calls_cannot_break_the_cap_together(alice):
    tasks = [make_task(f"t{n}") for n in range(10)]
    execution = make_execution(priced_workflow(alice, *tasks), cost_cap=Decimal("0.0055"))
    script = Script(**{f"t{n}": [completion("x", cost=Decimal("0.0016"))] for n in range(10)})

    work(script)

    check_truth(execution)
    assert len(script.requests) == 3
    assert execution.cost == Decimal("0.0048") <= execution.cost_cap


def test_an_unknown_price_is_refused_under_a_cap_and_allowed_without(alice):
    workflow = priced_workflow(alice, make_task("one"), model="no-such-model-at-all")
    capped = make_execution(workflow, cost_cap=Decimal(1))
    free = make_execution(workflow)

    work()

    assert results(capped)["one"].error_code == "budget_refused"
    assert "not known" in results(capped)["one"].error
    assert results(free)["one"].status == "completed"


def test_what_was_spent_before_a_crash_counts(alice):
    execution = make_execution(priced_workflow(alice, make_task("one")), cost_cap=Decimal("0.003"))
    SpendEntry.objects.create(
        user=alice,
        workflow_label="Report",
        execution_id=execution.pk,
        task_id="one",
        attempt=1,
        provider="openai",
        model="gpt-4.1-mini",
        reserved=Decimal("0.002"),
        settled=None,
        at=execution.created_at,
    )
    execution.tasks.update(status="running", attempts=1, started_at=execution.created_at)
    script = Script()

    work(script)

    assert not script.requests
    assert results(execution)["one"].error_code == "budget_refused"
