"""Whoever dies or stands still in the midst of it: one alert, one message, no error lost."""

import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings
from django.utils import timezone

from observability import metrics
from observability.alerts import evaluation, sending
from observability.models import (
    Alert,
    AlertRule,
    Delivery,
    ErrorGroup,
    ErrorHour,
    ErrorReport,
    NotificationChannel,
)
from tests.observability.alerts.conftest import hook_server
from tests.processes import PATIENCE, environment

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

# It gets the signal just when it would call the function, or has just called it.
PROGRAM = """
import importlib, os, signal, sys
import django
django.setup()
from observability import errors, metrics
from observability.alerts import evaluation, sending

module, name, when, number = sys.argv[1:]
owner = importlib.import_module(module)
*path, name = name.split(".")
for part in path:
    owner = getattr(owner, part)
function = getattr(owner, name)

def interrupted(*args, **kwargs):
    if when == "before":
        os.kill(os.getpid(), int(number))
    result = function(*args, **kwargs)
    if when == "after":
        os.kill(os.getpid(), int(number))
    return result

setattr(owner, name, interrupted)
errors.capture(RuntimeError("lost or counted, never half"), source="worker")
metrics.flush()
evaluation.evaluate()
sending.deliver()
"""
NOTICES, SENDING = "observability.alerts.notices", "observability.alerts.sending"
STORING, MODELS = "observability.errors.storing", "observability.models"


def start(module, name, when, number):
    command = [sys.executable, "-c", PROGRAM, module, name, when, str(int(number))]
    env = environment(DJANGO_SETTINGS_MODULE="hummbl.settings")
    return subprocess.Popen(command, cwd=settings.BASE_DIR, env=env)


@pytest.fixture
def hook(adam, settings):
    """One rule that fires at once, and the webhook that is told."""
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    AlertRule.objects.exclude(slug="silent-worker").delete()
    AlertRule.objects.update(for_seconds=0)
    NotificationChannel.objects.all().delete()
    with hook_server() as server:
        url = f"http://127.0.0.1:{server.server_port}/"
        NotificationChannel.create(by=adam, kind="webhook", name="Hook", url=url)
        yield server


def carry_on():
    """What another process does a while later."""
    evaluation.evaluate()
    Delivery.objects.update(next_attempt_at=timezone.now())
    sending.deliver()


def check(hook, arrived):
    assert [(each.state, each.value) for each in Alert.objects.all()] == [("firing", 0)]
    assert [(each.event, each.state) for each in Delivery.objects.all()] == [("firing", "sent")]
    assert len(hook.got) == arrived
    assert len({headers["X-Hummbl-Delivery"] for headers, _, _ in hook.got}) == 1


@pytest.mark.parametrize(
    ("module", "name", "when", "arrived"),
    [
        pytest.param(NOTICES, "tell", "before", 1, id="fired and not told"),
        pytest.param(NOTICES, "tell", "after", 1, id="told and not committed"),
        pytest.param(SENDING, "deliver", "before", 1, id="committed and not sent"),
        pytest.param(MODELS, "Delivery.claim", "after", 1, id="claimed and not sent"),
        pytest.param(MODELS, "Delivery.succeed", "before", 2, id="sent and not noted"),
        pytest.param(MODELS, "Delivery.succeed", "after", 1, id="noted"),
    ],
)
def test_who_is_killed_leaves_it_to_the_next(hook, module, name, when, arrived):
    process = start(module, name, when, signal.SIGKILL)
    assert process.wait(PATIENCE) == -signal.SIGKILL
    carry_on()
    check(hook, arrived)


def test_who_stands_still_changes_nothing_when_it_goes_on(hook):
    """Another has sent it again meanwhile, under the same id."""
    process = start(MODELS, "Delivery.succeed", "before", signal.SIGSTOP)
    try:
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        carry_on()
        before = Delivery.objects.values().get()
        process.send_signal(signal.SIGCONT)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
    check(hook, 2)
    assert Delivery.objects.values().get() == before


@pytest.mark.parametrize("name", ["_locked_group", "_add_users", "_add_reports"])
def test_an_error_is_written_whole_or_not_at_all(name):
    process = start(STORING, name, "after", signal.SIGKILL)
    assert process.wait(PATIENCE) == -signal.SIGKILL
    for model in (ErrorGroup, ErrorHour, ErrorReport):
        assert not model.objects.exists()


def test_an_error_that_is_written_is_written_once():
    process = start(STORING, "_write", "after", signal.SIGKILL)
    assert process.wait(PATIENCE) == -signal.SIGKILL
    metrics.flush()
    assert ErrorGroup.objects.get().count == ErrorHour.objects.get().count == 1
    assert ErrorReport.objects.count() == 1
