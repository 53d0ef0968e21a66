"""Messages that wait, are sent, and are tried again."""

import hashlib
import hmac
import time
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from observability.alerts import sending
from observability.models import Delivery, NotificationChannel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def webhook(hook, adam):
    """A channel to the server, and its secret."""
    NotificationChannel.objects.all().delete()
    return NotificationChannel.create(by=adam, kind="webhook", name="Hook", url=hook.url)


def waiting(channel, **values):
    """A message in the outbox."""
    payload = {"text": "Too hot ♨", "event": "firing", "title": "Firing: Too hot", "alert": None}
    return Delivery.objects.create(
        channel=channel, channel_name=channel.name, event="firing", payload=payload, **values
    )


def due_now(delivery):
    Delivery.objects.filter(pk=delivery.pk).update(next_attempt_at=timezone.now())


def test_a_webhook_gets_signed_json_that_slack_shows(webhook, hook):
    channel, secret = webhook
    delivery = waiting(channel)
    sending.deliver()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("sent", 1)
    [(headers, body, said)] = hook.got
    assert said["text"] == "Too hot ♨"
    assert headers["X-Hummbl-Delivery"] == str(delivery.pk)
    signed = headers["X-Hummbl-Timestamp"].encode() + b"." + body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["X-Hummbl-Signature"] == f"sha256={expected}"


def test_a_failing_webhook_is_tried_again_with_the_same_id_and_body(webhook, hook):
    delivery = waiting(webhook[0])
    hook.answers = [500, 429]
    for _ in range(3):
        sending.deliver()
        due_now(delivery)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.error) == ("sent", 3, "")
    assert len({body for _, body, _ in hook.got}) == 1
    assert {headers["X-Hummbl-Delivery"] for headers, *_ in hook.got} == {str(delivery.pk)}


def test_what_failed_waits_before_it_is_tried_again(webhook, hook, monkeypatch):
    monkeypatch.setattr("random.uniform", lambda least, most: most)
    delivery = waiting(webhook[0])
    hook.answers = [503] * 9
    pauses = []
    for _ in range(4):
        sending.deliver()
        sending.deliver()
        delivery.refresh_from_db()
        pauses.append(round((delivery.next_attempt_at - timezone.now()).total_seconds() / 60))
        due_now(delivery)
    assert pauses == [1, 3, 9, 27]
    assert delivery.error == "It answers 503."
    sending.deliver()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("failed", 5)
    sending.deliver()
    assert len(hook.got) == 5


@pytest.mark.parametrize("status", [301, 400, 404, 410])
def test_an_answer_that_will_never_change_ends_it(webhook, hook, status):
    hook.answers = [status]
    delivery = waiting(webhook[0])
    sending.deliver()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("failed", 1)
    assert str(status) in delivery.error


def test_a_server_that_is_away_is_tried_again_and_its_address_kept_secret(webhook, hook):
    delivery = waiting(webhook[0])
    hook.shutdown()
    hook.server_close()
    sending.deliver()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("pending", 1)
    assert "cannot be reached" in delivery.error
    assert "canary" not in delivery.error


def test_an_address_that_no_request_can_be_made_of_is_not_tried_again(webhook, hook, adam):
    webhook[0].change(by=adam, url="https://\uff21\uff22.example/canary")
    delivery = waiting(webhook[0])
    sending.deliver()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("failed", 1)
    assert delivery.error == "The channel's address is not valid."


def test_private_networks_are_refused_when_it_is_sent(webhook, hook, settings):
    delivery = waiting(webhook[0])
    settings.ALLOWED_PRIVATE_HOSTS = []
    sending.deliver()
    delivery.refresh_from_db()
    assert delivery.state == "failed"
    assert "ALLOWED_PRIVATE_HOSTS" in delivery.error
    assert hook.got == []


def test_each_attempt_is_claimed_once(webhook):
    delivery = waiting(webhook[0])
    same = Delivery.objects.get(pk=delivery.pk)
    assert delivery.claim()
    assert not same.claim()


def test_a_sender_that_died_leaves_it_to_the_next(webhook, hook):
    delivery = waiting(webhook[0])
    assert delivery.claim()
    sending.deliver()
    assert hook.got == []
    Delivery.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    sending.deliver()
    assert Delivery.objects.get().state == "sent"
    delivery.fail("Too late.")
    assert Delivery.objects.get().state == "sent"


def test_a_mail_goes_to_every_administrator(adam, alice):
    channel = NotificationChannel.objects.create(name="Admins", kind="email")
    delivery = waiting(channel)
    sending.deliver()
    [message] = mail.outbox
    assert message.to == [adam.email]
    assert message.subject == "Firing: Too hot"
    assert message.extra_headers["Message-ID"] == f"<{delivery.pk}@hummbl>"


def test_a_mail_that_fails_is_tried_again(adam, monkeypatch):
    def refuse(message):
        raise ConnectionRefusedError(111, "Connection refused")

    channel = NotificationChannel.objects.create(name="On call", kind="email", addresses=["a@b.c"])
    delivery = waiting(channel)
    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.EmailMessage.send", refuse)
        sending.deliver()
    delivery.refresh_from_db()
    assert delivery.state == "pending"
    assert "Connection refused" in delivery.error
    due_now(delivery)
    sending.deliver()
    assert mail.outbox[0].to == ["a@b.c"]


@pytest.mark.parametrize("what", ["deleted", "switched off"])
def test_a_channel_that_is_gone_ends_it(webhook, hook, what, adam):
    channel, _ = webhook
    delivery = waiting(channel)
    if what == "deleted":
        channel.delete(by=adam)
    else:
        channel.change(by=adam, is_active=False)
    sending.deliver()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == ("failed", f"The channel was {what}.")


def test_what_waits_since_before_the_clock_was_set_back_leaves_now(webhook):
    waiting(webhook[0], next_attempt_at=timezone.now() + timedelta(days=365))
    later = waiting(webhook[0], next_attempt_at=timezone.now() + timedelta(minutes=27))
    sending.deliver()
    assert list(Delivery.objects.filter(state="pending")) == [later]


def test_receivers_that_hang_keep_nobody_from_the_next_minute(webhook, hook, monkeypatch):
    """No attempt begins when there was time enough for those before."""
    for _ in range(20):
        waiting(webhook[0])
    monkeypatch.setattr(sending, "ENOUGH", 0)
    sending.deliver()
    assert hook.got == []
    monkeypatch.setattr(sending, "ENOUGH", 3600)
    attempt = sending._attempt

    def slow(deliveries):
        attempt(deliveries)
        passed = time.monotonic() + 3600
        monkeypatch.setattr(sending.time, "monotonic", lambda: passed)

    with monkeypatch.context() as patch:
        patch.setattr(sending, "_attempt", slow)
        sending.deliver()
    assert Delivery.objects.filter(state="sent").count() == sending.AT_ONCE


def test_an_answer_without_end_is_not_read(webhook, hook):
    """Its first line has said everything; who sends it twice annoys the receiver."""
    hook.endless = True
    delivery = waiting(webhook[0])
    sending.deliver()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("sent", 1)


def test_many_at_once(webhook, hook, monkeypatch):
    monkeypatch.setattr(sending, "ENOUGH", 3600)
    for _ in range(20):
        waiting(webhook[0])
    sending.deliver()
    assert Delivery.objects.filter(state="sent").count() == 20
    assert len({headers["X-Hummbl-Delivery"] for headers, *_ in hook.got}) == 20


def test_a_lost_encryption_key_is_said(webhook, settings):
    from hummbl.encryption import generate_key

    delivery = waiting(webhook[0])
    settings.ENCRYPTION_KEYS = [generate_key()]
    sending.deliver()
    delivery.refresh_from_db()
    assert delivery.state == "failed"
    assert "ENCRYPTION_KEYS" in delivery.error
