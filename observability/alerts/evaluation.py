"""Each minute: every rule is read, and its alert begins, fires, is told of, and ends.

One process does this (:mod:`hummbl.duties`). All changes of a minute and the messages about them
are one transaction, which holds the rows of the rules: a process that was slow changes nothing that
a later one has looked at.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from observability import metrics
from observability.alerts import notices, readings
from observability.models import Alert, AlertRule, AlertState, DeliveryEvent, Silence

logger = logging.getLogger(__name__)

# A minute is now and then a little shorter than 60 seconds.
SLACK: Final = timedelta(seconds=10)
# What happened further in the future than this stems from before the clock was set back.
AHEAD: Final = timedelta(minutes=5)


def evaluate() -> None:
    """Read every active rule, and take the consequences."""
    metrics.flush()
    at = timezone.now()
    values: dict[UUID, float | None] = {}
    for rule in AlertRule.objects.active():
        try:
            values[rule.pk] = readings.read(rule, at)
        except Exception:
            # The others must not suffer; this one's alert stays as it is.
            logger.exception("The alert rule %s cannot be read", rule.name)
    _judge(values, at)


@transaction.atomic
def _judge(values: Mapping[UUID, float | None], at: datetime) -> None:
    # A rule that somebody holds is looked at by them, or in a minute: whoever was stopped in the
    # midst of it must not stop everybody.
    rules = AlertRule.objects.select_for_update(of=("self",), skip_locked=True)
    rules = rules.filter(pk__in=values)
    held = [rule for rule in rules.active().order_by("pk") if _is_news(rule, at)]
    alerts = {alert.rule_id: alert for alert in Alert.objects.open().filter(rule__in=held)}
    silences = list(Silence.objects.current(at))
    silent = {silence.rule_id for silence in silences}
    for rule in held:
        rule.value, rule.evaluated_at = values[rule.pk], at
        is_silent = rule.pk in silent or None in silent
        _follow(rule, alerts.get(rule.pk), at, is_silent=is_silent)
    AlertRule.objects.bulk_update(held, ["value", "evaluated_at", "notified_at"])


def _is_news(rule: AlertRule, at: datetime) -> bool:
    last = rule.evaluated_at
    # Not compared with `at`: whoever stood still for long is behind, and the clock is right.
    return last is None or last < at or last > timezone.now() + AHEAD


def _follow(rule: AlertRule, alert: Alert | None, at: datetime, *, is_silent: bool) -> None:
    """Take one rule's alert from where it was to where its value puts it."""
    value = rule.value
    if value is None or not rule.is_exceeded_by(value):
        if alert is not None:
            _end(rule, alert, at, is_silent=is_silent)
        return
    if alert is None:
        alert = Alert.begin(rule, value, at)
    else:
        alert.hold(value)
    # However the clock was set meanwhile: no span of time is negative.
    has_lasted = abs(at - alert.started_at) + SLACK >= timedelta(seconds=rule.for_seconds)
    if alert.state == AlertState.PENDING and (has_lasted or not rule.for_seconds):
        alert.fire(at)
        logger.warning("Alert: %s (%s)", rule.name, alert.shown_value)
    if alert.state == AlertState.FIRING and not is_silent:
        _remind(rule, alert, at)


def _remind(rule: AlertRule, alert: Alert, at: datetime) -> None:
    """Tell the channels that it fires, at most once in so many seconds: also when it flaps."""
    repeat = timedelta(seconds=rule.repeat_seconds)
    if rule.notified_at is not None and abs(at - rule.notified_at) + SLACK < repeat:
        return
    event = DeliveryEvent.REMINDER if alert.notified_at else DeliveryEvent.FIRING
    notices.tell(rule, alert, event)
    alert.notified_at = rule.notified_at = at
    alert.save(update_fields=["notified_at", "updated_at"])


def _end(rule: AlertRule, alert: Alert, at: datetime, *, is_silent: bool) -> None:
    """End the alert; who was told that it fires is told that it is over."""
    alert.end(at)
    if alert.state == AlertState.RESOLVED:
        logger.info("Alert over: %s", rule.name)
        if alert.notified_at and not is_silent:
            notices.tell(rule, alert, DeliveryEvent.RESOLVED)
