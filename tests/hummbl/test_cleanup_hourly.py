"""However many workers there are, one of them cleans up, once an hour."""

import pytest

from tests.processes import at_once

PROGRAM = """
import django
django.setup()
from hummbl import duties, retention
duties._duties.clear()
retention.install()
duties._duties["cleanup"].seconds = 10**9  # no hour ends meanwhile
run = retention.run
def told(**options):
    print("ran", flush=True)
    return run(**options)
retention.run = told
for _ in range(3):
    duties.run_due(slow=True)
"""


@pytest.mark.django_db(transaction=True)
def test_of_several_processes_one():
    assert sorted(at_once(PROGRAM, 3)) == ["", "", "ran\n"]
