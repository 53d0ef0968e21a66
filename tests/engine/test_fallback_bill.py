"""The bill of an attempt is kept while the fallback is on its way."""

import asyncio
from collections import Counter

import pytest

from soak.evidence import read
from soak.verdict import look
from tests.engine.stepping import SteppedWorker, SteppedWriter
from tests.engine.support import failure
from tests.factories import make_agent, make_definition, make_execution, make_task, make_workflow
from workflows.engine import worker as worker_module
from workflows.models import Execution

pytestmark = pytest.mark.django_db(transaction=True)


def test_another_execution_is_written_in_between(alice, monkeypatch):
    """The key of the fallback is looked up in a thread, and meanwhile other things are written."""
    monkeypatch.setattr(worker_module, "Writer", SteppedWriter)
    agent = make_agent(
        provider="openai", model="gpt-4.1-mini", fallbacks=["openai:gpt-4.1-mini"], max_tokens=100
    )
    task = make_task("a", description="Do {{ input.run }} of it.", max_retries=0)
    workflow = make_workflow(alice, definition=make_definition(task, agents=[agent]))
    failing = make_execution(workflow, input={"run": "failing"})
    make_execution(workflow, input={"run": "other"})
    loop = asyncio.new_event_loop()
    worker = SteppedWorker(loop, Counter())
    try:
        worker.look()
        worker.step()
        first, second = worker.calls
        first.end(failure("timeout", maybe_billed=True))
        second.end(None)
        worker.settle()
        # A commit for each hand-over: pieces of answers, the end of one call, the next call.
        for _ in range(len(worker._writer.waiting)):
            worker.step(1)
    finally:
        worker.die(0)
        loop.close()

    (evidence,) = read(Execution.objects.filter(pk=failing.pk))
    assert evidence.tasks["a"].cost > 0
    assert evidence.entries[0].settled == evidence.tasks["a"].cost
    assert not list(look([evidence], at_the_end=False))
