"""What alerts keep for a time only: RETENTION_ALERTS."""

from datetime import timedelta

import pytest
from django.utils import timezone

from hummbl import retention
from observability.models import Alert, AlertRule, Delivery, NotificationChannel, Silence

pytestmark = pytest.mark.django_db
NAMES = ("alert deliveries", "alerts", "alert silences")


@pytest.fixture
def aged(settings):
    """`aged(days, state)` is an alert of that age with a message and a silence of its time."""
    settings.RETENTION_ALERTS = 90

    def make(days, *, fires=False, delivery="sent"):
        now = timezone.now()
        at = now - timedelta(days=days)
        rule = AlertRule.objects.create(
            name=f"{days} {fires} {delivery}", condition="workers-alive", threshold=1
        )
        alert = Alert.begin(rule, 2, at)
        alert.fire(at)
        if not fires:
            alert.end(at)
        told = Delivery.objects.create(alert=alert, channel_name="x", event="firing")
        if delivery == "sent":
            told.succeed()
        Delivery.objects.filter(pk=told.pk).update(created_at=at)
        Silence.objects.create(starts_at=at - timedelta(days=1), ends_at=at, reason="x")
        return alert

    return make


def clean_up():
    """Rows deleted of each rule, and what each says of itself."""
    found = {rule.name: rule for rule in retention.rules() if rule.name in NAMES}
    assert set(found) == set(NAMES)
    return {name: found[name].delete_batch(100).rows for name in NAMES}


def test_what_is_over_goes_when_it_is_old(aged):
    old, new = aged(91), aged(89)
    assert clean_up() == {"alert deliveries": 1, "alerts": 1, "alert silences": 1}
    assert list(Alert.objects.all()) == [new]
    assert list(Delivery.objects.values_list("alert", flat=True)) == [new.pk]
    assert Silence.objects.count() == 1
    assert AlertRule.objects.filter(pk__in=[old.rule_id, new.rule_id]).count() == 2


def test_what_fires_and_what_waits_to_be_sent_stays(aged):
    fires = aged(200, fires=True)
    waits = aged(200, delivery="pending")
    assert clean_up() == {"alert deliveries": 1, "alerts": 0, "alert silences": 2}
    assert set(Alert.objects.all()) == {fires, waits}
    assert Delivery.objects.get().alert == waits


def test_an_empty_setting_keeps_everything(aged, settings):
    settings.RETENTION_ALERTS = None
    aged(2000)
    assert clean_up() == dict.fromkeys(NAMES, 0)


def test_a_channel_that_is_deleted_leaves_its_history(aged, adam):
    channel = NotificationChannel.create(by=adam, kind="email", name="Gone")[0]
    alert = aged(91)
    Delivery.objects.update(channel=channel)
    channel.delete(by=adam)
    assert Delivery.objects.get().alert == alert
    assert clean_up()["alert deliveries"] == 1
