"""Several processes that meet the same errors at the same time."""

import subprocess
import sys

import pytest

from observability.models import ErrorGroup, ErrorHour, ErrorReport, ErrorUser
from tests.processes import environment

PROCESSES = 3
STORM = """
import sys
import django
django.setup()
from uuid import UUID
from observability import errors, metrics

def fail(number):
    raise RuntimeError(f"storm {number}")

for number in range(300):
    try:
        fail(number)
    except RuntimeError as error:
        errors.capture(error, source="worker", user_id=UUID(int=number % 7))
    errors.capture(LookupError(f"row {number}"), source="worker")
    if number % 50 == 0:
        metrics.flush()
"""


@pytest.mark.django_db(transaction=True)
def test_none_is_lost_and_none_is_counted_twice(settings):
    command = [sys.executable, "-c", STORM]
    env = environment(DJANGO_SETTINGS_MODULE="hummbl.settings")
    storms = [subprocess.Popen(command, cwd=settings.BASE_DIR, env=env) for _ in range(PROCESSES)]
    assert [storm.wait() for storm in storms] == [0] * PROCESSES
    groups = ErrorGroup.objects.order_by("title")
    assert [group.count for group in groups] == [300 * PROCESSES] * 2
    assert [group.users_count for group in groups] == [0, 7]
    assert ErrorUser.objects.count() == 7
    assert sum(ErrorHour.objects.values_list("count", flat=True)) == 600 * PROCESSES
    # Ten a minute of each group and process; the storm may see two minutes.
    assert 2 * 10 * PROCESSES <= ErrorReport.objects.count() <= 4 * 10 * PROCESSES
