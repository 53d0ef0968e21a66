"""The queue, the workers and the database's size, as metrics."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from observability import metrics, series
from tests.factories import make_execution, make_workflow
from workflows import gauges
from workflows.models import Worker

pytestmark = pytest.mark.django_db


def test_they_are_what_is_so_now(alice):
    workflow = make_workflow(alice)
    for _ in range(3):
        make_execution(workflow)
    Worker.objects.create(name="alive", version="1", seen_at=timezone.now())
    Worker.objects.create(name="dead", version="1", seen_at=timezone.now() - timedelta(hours=1))
    gauges.record()
    metrics.flush()
    now = datetime.now(UTC)
    around = (now - timedelta(minutes=5), now + timedelta(minutes=5))
    assert series.total("queue.depth", *around).max == 3
    assert series.total("workers.alive", *around).max == 1
    assert series.total("storage.bytes", *around).max > 10_000
