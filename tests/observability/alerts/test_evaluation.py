"""What becomes of a rule's readings: pending, firing, resolved; and who is told when."""

import logging
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from observability.alerts import conditions, evaluation
from observability.alerts.conditions import Condition
from observability.models import Alert, AlertRule, Delivery, NotificationChannel, Silence


def test_nothing_happens_below_the_threshold(heat):
    heat.read(10)
    assert heat.rule.value == 10
    assert heat.rule.evaluated_at == heat.at
    assert heat.alert is None
    assert heat.told == []


def test_it_fires_at_once_without_a_for(heat):
    heat.read(11)
    assert heat.alert.state == "firing"
    assert heat.alert.fired_at == heat.alert.started_at == heat.at
    assert heat.told == ["firing"]


def test_it_is_pending_until_it_has_lasted(heat):
    heat.change(for_seconds=120)
    heat.read(11)
    assert heat.alert.state == "pending"
    began = heat.at
    heat.read(12)
    assert (heat.alert.state, heat.alert.value, heat.told) == ("pending", 12, [])
    heat.read(13)
    assert (heat.alert.state, heat.alert.fired_at) == ("firing", heat.at)
    assert heat.alert.started_at == began


def test_what_is_over_before_it_fires_leaves_nothing(heat):
    heat.change(for_seconds=120)
    heat.read(11)
    heat.read(9)
    assert heat.alert is None
    assert heat.told == []


def test_it_is_resolved_once_and_says_so(heat):
    heat.read(11)
    heat.read(9, minutes=3)
    assert heat.alert.state == "resolved"
    assert heat.alert.resolved_at == heat.at - timedelta(minutes=2)
    assert heat.alert.value == 11
    assert heat.told == ["firing", "resolved"]


def test_a_rule_below_its_threshold(heat):
    heat.change(comparison="below", threshold=1)
    heat.read(1)
    assert heat.alert is None
    heat.read(0)
    assert heat.alert.state == "firing"


def test_no_reading_is_never_too_much(heat):
    heat.change(comparison="below")
    heat.read(None)
    assert heat.alert is None
    assert heat.rule.value is None


def test_too_few_samples_are_no_reading(heat):
    heat.change(min_samples=20)
    heat.read(99, samples=19)
    assert heat.alert is None
    heat.read(99, samples=20)
    assert heat.alert.state == "firing"


def test_channels_are_reminded_after_the_repeat_interval_alone(heat):
    heat.read(11, minutes=60)
    assert heat.told == ["firing"]
    heat.read(11, minutes=1)
    assert heat.told == ["firing", "reminder"]


def test_a_flapping_alert_tells_once_in_the_repeat_interval(heat):
    for _ in range(25):
        heat.read(11)
        heat.read(9)
    assert heat.told == ["firing", "resolved"]
    assert Alert.objects.filter(state="resolved").count() == 25
    heat.read(11, minutes=12)
    assert heat.told == ["firing", "resolved", "firing"]


def test_one_alert_is_open_at_most(heat):
    heat.read(11, minutes=5)
    assert Alert.objects.count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        Alert.begin(heat.rule, 1, heat.at)


@pytest.mark.parametrize("of_all", [True, False])
def test_nobody_is_told_while_it_is_silent_and_everybody_after_it(heat, adam, of_all):
    rule = None if of_all else heat.rule
    end = heat.at + timedelta(minutes=30)
    heat.now(heat.at)
    Silence.create(by=adam, rule=rule, ends_at=end, reason="Maintenance")
    heat.read(11, minutes=29)
    assert heat.alert.state == "firing"
    assert heat.told == []
    heat.read(11)
    assert heat.told == ["firing"]


def test_a_silence_of_another_rule_changes_nothing(heat, adam):
    heat.now(heat.at)
    other = AlertRule.objects.create(name="Other", condition="heat", threshold=1000)
    Silence.create(by=adam, rule=other, ends_at=heat.at + timedelta(hours=1), reason="Not this")
    heat.read(11)
    assert heat.told == ["firing"]


def test_who_was_not_told_of_it_is_not_told_that_it_is_over(heat, adam):
    heat.now(heat.at)
    Silence.create(by=adam, ends_at=heat.at + timedelta(minutes=2), reason="Now")
    heat.read(11)
    heat.read(9, minutes=3)
    assert heat.alert.state == "resolved"
    assert heat.told == []


def test_a_rule_tells_the_channels_that_it_names(heat):
    named = NotificationChannel.objects.create(name="On call", kind="email", addresses=["a@b.c"])
    heat.rule.channels.add(named)
    heat.read(11)
    assert [each.channel for each in Delivery.objects.all()] == [named]


def test_a_rule_whose_channels_are_off_tells_nobody(heat):
    named = NotificationChannel.objects.create(name="On call", kind="email", is_active=False)
    heat.rule.channels.add(named)
    heat.read(11)
    assert heat.told == []
    assert heat.alert.state == "firing"


def test_a_rule_that_is_off_is_not_read(heat, adam):
    heat.read(11)
    heat.rule.change(by=adam, is_active=False)
    assert heat.alert.state == "resolved"
    value = heat.rule.value
    heat.read(99)
    assert heat.rule.value == value
    assert heat.told == ["firing"]


def test_a_condition_that_fails_does_not_stop_the_others(heat, caplog):
    def broken(start, end):
        raise ZeroDivisionError

    conditions.register(Condition("broken", "Broken", "", broken))
    AlertRule.objects.create(name="A broken one", condition="broken", threshold=1)
    with caplog.at_level(logging.ERROR, logger="observability.alerts.evaluation"):
        heat.read(11)
    assert "A broken one" in caplog.text
    assert heat.alert.state == "firing"


def test_a_slow_process_changes_nothing_that_a_later_one_has_looked_at(heat):
    heat.read(11)
    evaluation._judge({heat.rule.pk: 5}, heat.at - timedelta(seconds=30))
    assert heat.alert.state == "firing"
    assert heat.told == ["firing"]


def test_a_clock_that_was_a_year_ahead_stops_no_alert(heat):
    """What was read and told then must not keep everybody quiet until that time comes again."""
    noon = heat.at
    heat.at += timedelta(days=365)
    heat.read(11)
    heat.read(9)
    heat.at = noon
    heat.read(12)
    assert heat.rule.evaluated_at == heat.at
    assert Alert.objects.open().get().state == "firing"
    heat.read(9)
    # In no order of time: the first two were told in the future.
    assert sorted(heat.told) == ["firing", "firing", "resolved", "resolved"]


def test_an_alert_that_began_in_the_future_fires_and_ends(heat):
    heat.change(for_seconds=120)
    noon = heat.at
    heat.at += timedelta(days=365)
    heat.read(11)
    assert heat.alert.state == "pending"
    heat.at = noon
    heat.read(11)
    assert heat.told == ["firing"]
    heat.read(9)
    assert heat.alert.lasted == timedelta(0)
    assert heat.told == ["firing", "resolved"]


def test_an_alert_outlives_its_rule(heat, adam):
    heat.read(11)
    heat.rule.delete(by=adam)
    alert = Alert.objects.get()
    assert (alert.rule, alert.state, alert.rule_name) == (None, "resolved", "Too hot")


def test_the_statements_do_not_grow_with_the_rules(heat):
    heat.read(1)  # the process's own metrics are written the first time
    with CaptureQueriesContext(connection) as few:
        heat.read(1)
    for number in range(20):
        AlertRule.objects.create(name=f"Rule {number}", condition="heat", threshold=1000)
    with CaptureQueriesContext(connection) as many:
        heat.read(1)
    assert len(many) <= len(few)
