"""A process that is told to end writes what it has measured first."""

import signal
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings

from observability import series
from observability.models import Release
from tests.engine.fleet import make_chain
from tests.processes import PATIENCE, at_once, wait_for, web, worker
from workflows.models import Execution

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

WITHOUT_A_THREAD = """
import threading
import django
django.setup()
start = threading.Thread.start
def refuse(thread):
    if thread.name == "metrics":
        raise RuntimeError("can't start new thread")
    start(thread)
threading.Thread.start = refuse
from observability import metrics
metrics.record("wait", 1)
metrics.record("wait", 1)
"""


def total(name, **tags):
    """What was written of a metric."""
    now = datetime.now(UTC)
    return series.total(name, now - timedelta(hours=1), now + timedelta(hours=1), tags=tags)


def test_a_web_process():
    with web() as (process, url):
        with urllib.request.urlopen(f"{url}/signin", timeout=PATIENCE) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    assert total("request.count", route="/signin").sum == 1
    assert total("request.duration", route="/signin").count == 1
    assert Release.objects.get().name == settings.RELEASE


def test_a_worker(alice, llmock, settings):
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    chain = make_chain(alice, llmock)
    execution = chain.execute(user=alice, input={"run": "run-1"})
    with worker() as process:
        wait_for(
            lambda: Execution.objects.filter(pk=execution.pk, status="completed").exists(),
            what="the end of the execution",
        )
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    assert total("execution.count").sum == 1
    assert total("task.duration").count == 3
    assert total("ai.call.duration").count == 3
    assert total("db.query.duration").count > 0


def test_a_process_that_can_start_no_thread_for_it():
    at_once(WITHOUT_A_THREAD, 1)
    assert total("wait").count == 2
