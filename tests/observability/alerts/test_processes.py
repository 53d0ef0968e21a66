"""Several processes at once: each minute is looked at once, each message sent once."""

import subprocess
import sys

import pytest
from django.conf import settings

from observability.models import Alert, AlertRule, Delivery, NotificationChannel
from tests.observability.alerts.conftest import hook_server
from tests.processes import PATIENCE, environment

pytestmark = pytest.mark.django_db(transaction=True)

# Without the minutes that pass: the duty that all of them ask for is one that never comes again.
DUTIES = """
import sys
import django
django.setup()
from hummbl import duties
for name in [*duties._duties]:
    if not name.startswith("alert"):
        del duties._duties[name]
    else:
        duties._duties[name].seconds = 10**9
print("ready", flush=True)
sys.stdin.readline()
duties.run_due()
"""
EVALUATE = """
import sys
import django
django.setup()
from observability.alerts import evaluation, sending
print("ready", flush=True)
sys.stdin.readline()
for _ in range(5):
    evaluation.evaluate()
    sending.deliver()
"""


def run_at_once(program, count, **extra):
    """Start that many, and let all of them go when all are there."""
    env = environment(DJANGO_SETTINGS_MODULE="hummbl.settings", **extra)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=settings.BASE_DIR,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    try:
        for process in processes:
            assert process.stdout.readline().strip() == "ready"
        for process in processes:
            process.stdin.write("\n")
            process.stdin.flush()
        for process in processes:
            process.communicate(timeout=PATIENCE)
            assert process.returncode == 0
    finally:
        for process in processes:
            process.kill()


@pytest.mark.parametrize("program", [DUTIES, EVALUATE], ids=["duties", "evaluations"])
def test_one_alert_fires_once_and_is_told_once(adam, settings, program):
    """Also when all of them evaluate, which duties keep them from."""
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    AlertRule.objects.exclude(slug="silent-worker").delete()
    AlertRule.objects.update(for_seconds=0)
    NotificationChannel.objects.all().delete()
    with hook_server() as hook:
        url = f"http://127.0.0.1:{hook.server_port}/"
        NotificationChannel.create(by=adam, kind="webhook", name="Hook", url=url)
        run_at_once(program, 4)
        assert [(each.state, each.value) for each in Alert.objects.all()] == [("firing", 0)]
        assert [(each.event, each.state) for each in Delivery.objects.all()] == [("firing", "sent")]
        assert len(hook.got) == 1
