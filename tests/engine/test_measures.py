"""What a worker tells the metrics of its executions, tasks and calls."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from observability import metrics, series
from tests.engine.support import Script, completion, failure, work
from tests.factories import make_agent, make_definition, make_execution, make_task, make_workflow
from workflows.models import SpendEntry

pytestmark = pytest.mark.django_db(transaction=True)


def found(name, *tags):
    """The summaries of a metric by these tags."""
    metrics.flush()
    now = datetime.now(UTC)
    around = (now - timedelta(minutes=5), now + timedelta(minutes=5))
    return series.by(name, *around, tags)


def counts(name, *tags):
    return {key: summary.count for key, summary in found(name, *tags).items()}


def sums(name, *tags):
    return {key: summary.sum for key, summary in found(name, *tags).items()}


@pytest.fixture
def one_task(alice):
    """A workflow of one task that is tried twice."""
    agent = make_agent(provider="local", model="smollm2-135m")
    return make_workflow(
        alice,
        definition=make_definition(agents=[agent], tasks=[make_task("gather", max_retries=1)]),
    )


def test_an_execution_that_completes(alice):
    make_execution(make_workflow(alice))
    work(Script())
    assert sums("execution.count", "outcome") == {("completed",): 1}
    assert counts("execution.duration", "outcome") == {("completed",): 1}
    assert counts("task.duration", "outcome") == {("completed",): 2}
    assert counts("queue.lag") == {(): 1}
    (lag,) = found("queue.lag").values()
    assert 0 <= lag.max < 60


def test_calls_by_provider_and_model(one_task):
    make_execution(one_task)
    answer = completion("yes", input_tokens=10, cached_tokens=4, output_tokens=5)
    work(Script(gather=[failure("overloaded"), answer]))
    model = ("local", "smollm2-135m")
    assert counts("ai.call.duration", "provider", "model", "outcome") == {
        (*model, "completed"): 1,
        (*model, "failed"): 1,
    }
    assert sums("ai.errors", "provider", "model", "code") == {(*model, "overloaded"): 1}
    assert sums("ai.tokens", "provider", "model", "kind") == {
        (*model, "input"): 6,
        (*model, "cached"): 4,
        (*model, "output"): 5,
    }


def test_the_cost_is_what_the_ledger_says(alice):
    make_execution(make_workflow(alice))
    answers = [completion("yes", cost=Decimal("0.25"))], [completion("yes", cost=Decimal("0.5"))]
    work(Script(gather=answers[0], report=answers[1]))
    (cost,) = sums("ai.cost", "provider").values()
    assert cost == 0.75 == sum(float(entry.settled) for entry in SpendEntry.objects.all())


def test_an_execution_that_fails_and_what_it_skips(alice):
    make_execution(make_workflow(alice))
    work(Script(gather=[failure("authentication", retryable=False)]))
    assert sums("execution.count", "outcome") == {("failed",): 1}
    assert counts("task.duration", "outcome") == {("failed",): 1}


def test_an_execution_that_nobody_ran_when_it_was_cancelled(alice):
    make_execution(make_workflow(alice)).cancel(by=alice)
    assert sums("execution.count", "outcome") == {("cancelled",): 1}
    assert counts("queue.lag") == {}


def test_each_commit_is_a_statement(one_task):
    make_execution(one_task)
    metrics.reset()
    work(Script())
    assert counts("db.query.duration", "operation")[("commit",)] >= 3
