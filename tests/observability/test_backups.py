"""Backups hold everything that was observed, and a restore neither doubles nor announces it."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from hummbl.backup import hooks
from hummbl.models import CleanUp, Duty
from observability import metrics, releases, requests, rollup, series
from observability.models import (
    Delivery,
    ErrorGroup,
    MetricSeries,
    NotificationChannel,
    RequestSample,
)
from tests.hummbl.archives import backup, manifest, restore, rows
from tests.hummbl.conftest import elsewhere  # noqa: F401 - a fixture
from tests.observability.alerts.made import make_alert
from tests.observability.errors.support import capture, make_error
from tests.processes import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)
URL = "https://hooks.example.com/services/T0/canary-path"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "backup.zip"


def make_sample():
    RequestSample.objects.create(
        at=timezone.now(), route="/", method="GET", path="/", status=500, seconds=1, queries=1
    )


@pytest.fixture
def full(adam, alice, path):
    """A backup with rows of every model of this app."""
    make_alert()
    NotificationChannel.create(by=adam, kind="webhook", name="Hook", url=URL)
    make_error(source="request", user_id=alice.pk)
    for number in range(3):
        metrics.record("wait", number, route=f"/{number}")
    metrics.flush()
    releases.note()
    make_sample()
    backup(path)
    models = apps.get_app_config("observability").get_models()
    assert [model.__name__ for model in models if not model.objects.exists()] == []
    return path


def stored(path):
    """The rows of this app in an archive, but for what a restore ends."""
    found = {
        name: rows(path, name)
        for name in manifest(path)["tables"]
        if name.startswith("observability.")
    }
    for row in found["observability.delivery"]:
        for name in ("state", "error"):
            del row[name]
    return found


def test_every_row_is_as_it_was_and_goes_on(full, elsewhere, tmp_path):  # noqa: F811
    with elsewhere():
        restore(full)
        again = tmp_path / "again.zip"
        backup(again)
        assert stored(again) == stored(full)
        channel = NotificationChannel.objects.get(name="Hook")
        assert channel.address_and_secret()[0] == URL
        # New rows get new numbers, and old series their samples.
        metrics.record("wait", 5, route="/0")
        metrics.record("wait", 5, route="/new")
        capture(source="request")
        metrics.flush()
        now = datetime.now(UTC)
        hour = timedelta(hours=1)
        assert series.total("wait", now - hour, now + hour).count == 5
        assert series.total("wait", now - hour, now + hour, tags={"route": "/0"}).count == 2
        assert rollup.roll_up() >= 0


def test_nobody_is_told_again(full):
    """What waited has been sent since, by the installation that the backup is of."""
    waiting = Delivery.objects.filter(state="pending").count()
    assert waiting
    restore(full, replace=True)
    assert not Delivery.objects.filter(state="pending").exists()
    ended = Delivery.objects.filter(error__contains="backup was restored")
    assert ended.count() == waiting


def test_what_processes_note_of_themselves_is_nothing_to_keep(full, elsewhere):  # noqa: F811
    """A new installation whose web process has run already."""
    with elsewhere():
        call_command("migrate", verbosity=0)
        metrics.reset()
        metrics.record("wait", 1)
        requests.reset()
        releases.reset()
        metrics.flush()
        releases.note()
        Duty.claim("alerts", 5, 0)
        CleanUp.remember(timezone.now(), {})
        make_sample()
        assert MetricSeries.objects.exists()
        restore(full)
        assert not MetricSeries.objects.filter(name="wait", tags={}).exists()


def test_errors_are_something_to_keep(full, elsewhere):  # noqa: F811
    with elsewhere():
        call_command("migrate", verbosity=0)
        make_error()
        with pytest.raises(CommandError, match="not empty"):
            restore(full)
        assert ErrorGroup.objects.count() == 1


def flush_and_close():
    """What the thread of the metrics does."""
    metrics.flush()
    connection.close()


def test_this_process_writes_nothing_meanwhile_and_knows_the_new_rows(full):
    """A flush in the midst of it would leave rows whose numbers the backup has too."""
    metrics.record("wait", 1, route="/0")
    metrics.flush()
    threads = []

    def look(_manifest):
        metrics.record("meanwhile", 1)
        thread = threading.Thread(target=flush_and_close)
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
        threads.append(thread)

    hooks.after_restore("look", look)
    try:
        restore(full, replace=True)
    finally:
        del hooks._after["look"]
    threads[0].join(PATIENCE)
    assert not threads[0].is_alive()
    assert MetricSeries.objects.filter(name="meanwhile").exists()
