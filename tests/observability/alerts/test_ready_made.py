"""The rules that are there after installation, and what they read."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from observability import metrics, names
from observability.alerts import conditions, evaluation, ready_made
from observability.models import AlertRule, Installed, NotificationChannel
from tests.factories import make_execution, make_workflow
from workflows.models import Execution, Worker

SLUGS = {
    "critical-error",
    "failed-executions",
    "request-errors",
    "silent-worker",
    "slow-requests",
    "spend-forecast",
    "stuck-execution",
}


def value_of(slug):
    """What the rule reads now."""
    metrics.flush()
    evaluation.evaluate()
    return AlertRule.objects.get(slug=slug).value


def test_they_are_on_and_a_channel_writes_to_the_administrators(db):
    assert set(AlertRule.objects.active().values_list("slug", flat=True)) == SLUGS
    channel = NotificationChannel.objects.get()
    assert (channel.kind, channel.addresses, channel.is_active) == ("email", [], True)
    assert all(rule._check() is None for rule in AlertRule.objects.all())


def test_what_was_deleted_or_changed_stays_so(adam):
    AlertRule.objects.get(slug="slow-requests").delete(by=adam)
    AlertRule.objects.get(slug="request-errors").change(by=adam, threshold=50)
    NotificationChannel.objects.get().delete(by=adam)
    ready_made.install()
    assert set(AlertRule.objects.values_list("slug", flat=True)) == SLUGS - {"slow-requests"}
    assert AlertRule.objects.get(slug="request-errors").threshold == 50
    assert not NotificationChannel.objects.exists()


def test_a_rule_of_a_later_version_is_added_once(db, monkeypatch):
    monkeypatch.setattr(ready_made, "_rules", dict(ready_made._rules))
    ready_made.register("new", "New", condition="workers-alive", threshold=3)
    ready_made.install()
    ready_made.install()
    assert AlertRule.objects.get(slug="new").name == "New"
    assert Installed.objects.filter(name="rule:new").count() == 1


@pytest.mark.django_db(transaction=True)
def test_migrate_makes_them():
    AlertRule.objects.all().delete()
    Installed.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert set(AlertRule.objects.values_list("slug", flat=True)) == SLUGS


def test_requests_that_fail_in_percent(db):
    for _ in range(3):
        metrics.count(names.REQUEST_COUNT, 10, route="/api/x", method="GET", status="2xx")
    metrics.count(names.REQUEST_COUNT, 2, route="/api/x", method="GET", status="5xx")
    metrics.count(names.REQUEST_ERRORS, 2, route="/api/x", method="GET")
    assert value_of("request-errors") == pytest.approx(100 * 2 / 32)


def test_a_few_requests_say_nothing(db):
    metrics.count(names.REQUEST_COUNT, 2, status="5xx")
    metrics.count(names.REQUEST_ERRORS, 2)
    assert value_of("request-errors") is None


def test_slow_requests_at_p95(db):
    for _ in range(90):
        metrics.record(names.REQUEST_DURATION, 0.1, route="/a")
    for _ in range(10):
        metrics.record(names.REQUEST_DURATION, 8, route="/b")
    assert value_of("slow-requests") == pytest.approx(8, rel=0.011)


def test_a_critical_error_and_no_other(db):
    metrics.count(names.ERRORS_CAPTURED, source="request", severity="high")
    assert not value_of("critical-error")
    metrics.count(names.ERRORS_CAPTURED, source="worker", severity="critical")
    AlertRule.objects.update(evaluated_at=None)
    assert value_of("critical-error") == 1


def test_workers_alive(db):
    assert value_of("silent-worker") == 0
    Worker.objects.create(name="host:1", version="1", seen_at=timezone.now())
    AlertRule.objects.update(evaluated_at=None)
    assert value_of("silent-worker") == 1


def test_how_long_an_execution_waits(alice):
    read = conditions.get("stuck-execution").read
    now = timezone.now()
    assert read(now, now).value == 0
    pk = make_execution(make_workflow(alice)).pk
    Execution.objects.filter(pk=pk).update(created_at=now - timedelta(minutes=20))
    assert read(now, now).value == pytest.approx(1200, abs=30)
    soon, lately = now + timedelta(minutes=1), now - timedelta(minutes=3)
    Execution.objects.filter(pk=pk).update(lease_expires_at=soon)
    assert read(now, now).value == 0
    Execution.objects.filter(pk=pk).update(lease_expires_at=lately)
    assert read(now, now).value == pytest.approx(180, abs=30)


def test_executions_that_fail_in_percent(db):
    metrics.count(names.EXECUTION_COUNT, 6, outcome="completed")
    metrics.count(names.EXECUTION_COUNT, 2, outcome="failed")
    assert value_of("failed-executions") == 25


def test_spend_beside_the_usual_day(db, monkeypatch):
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    read = conditions.get("spend-forecast").read

    def spend(at, amount):
        monkeypatch.setattr("time.time", at.timestamp)
        metrics.count(names.AI_COST, amount, provider="openai", model="m")
        metrics.flush()

    spend(noon, 6)
    assert read(noon, noon + timedelta(hours=1)) is None
    # Of this day and the one before, minutes are still there.
    spend(noon - timedelta(days=1), 2)
    assert read(noon, noon + timedelta(hours=1)).value == pytest.approx(300)
