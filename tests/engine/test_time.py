"""The time an execution may take."""

import asyncio

import pytest

from tests.engine.support import Script, check_truth, results, statuses, work
from tests.factories import make_execution, make_workflow

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_execution_that_takes_too_long_fails(alice, settings):
    settings.EXECUTION_TIMEOUT = 0.3
    execution = make_execution(make_workflow(alice))

    async def forever():
        await asyncio.sleep(60)

    work(Script(gather=[forever]))

    check_truth(execution)
    assert execution.status == "failed"
    assert execution.error == "The execution did not finish within 0.3 seconds."
    assert statuses(execution) == {"gather": "failed", "report": "cancelled"}
    assert results(execution)["gather"].error_code == "execution_timeout"


def test_time_spent_before_a_recovery_counts(alice, settings):
    from datetime import timedelta

    from django.utils import timezone

    from workflows.models import Execution

    execution = make_execution(make_workflow(alice))
    Execution.objects.filter(pk=execution.pk).update(
        status="running", started_at=timezone.now() - timedelta(seconds=4000)
    )

    async def forever():
        await asyncio.sleep(60)

    work(Script(gather=[forever]))

    check_truth(execution)
    assert execution.status == "failed"
