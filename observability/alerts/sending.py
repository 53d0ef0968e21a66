"""Sending what waits in the outbox, outside of any transaction and several at once.

A webhook is a POST of JSON whose headers say when it was sent and sign it: see docs/alerts.md. What
fails is tried again by whichever process does the duty then.
"""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.conf import settings

from hummbl import mail
from hummbl.encryption import DecryptionError
from hummbl.outbound import OutboundRefused, async_client
from observability.alerts import notices
from observability.models import ChannelKind, Delivery, DeliveryEvent, NotificationChannel

if TYPE_CHECKING:
    from django.core.mail import EmailMessage

# Seconds for one attempt, and how many are made at once.
TIMEOUT: Final = 10.0
AT_ONCE: Final = 8
# Seconds after which no further attempt begins: rules are looked at again in the next minute,
# however many receivers hang.
ENOUGH: Final = 30.0
# Answers that say: try again. Other 4xx mean that this will never work.
PASSING: Final = frozenset({408, 409, 425, 429})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt: a sentence when it failed, and whether it always will."""

    problem: str = ""
    for_good: bool = False


# Everything is looked up before; in its thread it uses no database.
Send = Callable[[], Outcome]


def deliver() -> None:
    """Try what is due, once, a few at a time; what there is no time for waits for the next."""
    tried: set[UUID] = set()
    enough = time.monotonic() + ENOUGH
    while time.monotonic() < enough and (claimed := _claimed(tried)):
        tried.update(delivery.pk for delivery in claimed)
        _attempt(claimed)


def _claimed(tried: set[UUID]) -> list[Delivery]:
    due = Delivery.objects.due().exclude(pk__in=tried).select_related("channel")
    return [delivery for delivery in due[:AT_ONCE] if delivery.claim()]


def test(channel: NotificationChannel) -> Delivery:
    """Send a test message now, and once only. No transaction may be open."""
    delivery = Delivery.objects.create(
        channel=channel,
        channel_name=channel.name,
        event=DeliveryEvent.TEST,
        payload=notices.describe_test(channel),
    )
    if delivery.claim():
        outcome = _prepared(delivery)()
        if outcome.problem:
            delivery.fail(outcome.problem, for_good=True)
        else:
            delivery.succeed()
    return delivery


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What proves that a message is ours: HMAC-SHA256 of `timestamp.body`, in hexadecimal."""
    message = timestamp.encode() + b"." + body
    return "sha256=" + hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def _attempt(deliveries: list[Delivery]) -> None:
    sends = [_prepared(delivery) for delivery in deliveries]
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="alerts") as pool:
        outcomes = list(pool.map(lambda send: send(), sends))
    for delivery, outcome in zip(deliveries, outcomes, strict=True):
        if outcome.problem:
            delivery.fail(outcome.problem, for_good=outcome.for_good)
        else:
            delivery.succeed()


def _prepared(delivery: Delivery) -> Send:
    """What makes the attempt."""
    channel = delivery.channel
    if channel is None:
        return lambda: Outcome("The channel was deleted.", for_good=True)
    if not channel.is_active and delivery.event != DeliveryEvent.TEST:
        return lambda: Outcome("The channel was switched off.", for_good=True)
    if channel.kind == ChannelKind.EMAIL:
        return _mail(channel, delivery)
    return _post(channel, delivery)


def _mail(channel: NotificationChannel, delivery: Delivery) -> Send:
    to = channel.recipients()
    if not to:
        return lambda: Outcome("There is no administrator to write to.", for_good=True)
    context = {"channel": channel.name, "site": settings.SITE_URL, **delivery.payload}
    message: EmailMessage = mail.compose("observability/mail/alert.txt", to, **context)
    # The same in every attempt: mailboxes show it once.
    message.extra_headers = {**message.extra_headers, "Message-ID": f"<{delivery.pk}@hummbl>"}
    return lambda: Outcome(mail.attempt(message))


def _post(channel: NotificationChannel, delivery: Delivery) -> Send:
    try:
        url, secret = channel.address_and_secret()
    except DecryptionError as error:
        reason = f"The channel's address cannot be read: {error.reason}."
        return lambda: Outcome(reason, for_good=True)
    body = json.dumps(delivery.payload, ensure_ascii=False).encode()
    return lambda: asyncio.run(_posted(url, secret, str(delivery.pk), body))


async def _posted(url: str, secret: str, pk: str, body: bytes) -> Outcome:
    import httpx2

    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "HUMMBL",
        "X-Hummbl-Delivery": pk,
        "X-Hummbl-Timestamp": timestamp,
        "X-Hummbl-Signature": signature(secret, timestamp, body),
    }
    client = async_client(timeout=httpx2.Timeout(TIMEOUT))
    try:
        async with (
            asyncio.timeout(TIMEOUT),
            client,
            client.stream("POST", url, content=body, headers=headers) as response,
        ):
            # What else it says, however long and slowly, is not read.
            status = response.status_code
    except OutboundRefused as error:
        return Outcome(error.message, for_good=True)
    except httpx2.InvalidURL:
        return Outcome("The channel's address is not valid.", for_good=True)
    except TimeoutError:
        return Outcome(f"No answer within {TIMEOUT:g} seconds.")
    except (httpx2.HTTPError, OSError) as error:
        # Its text may have the address in it, which is a secret.
        return Outcome(f"It cannot be reached: {type(error).__name__}.")
    return _judged(status)


def _judged(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome()
    if 300 <= status < 400:
        return Outcome(f"It answers with a redirect ({status}), which is not followed.", True)
    return Outcome(f"It answers {status}.", 400 <= status < 500 and status not in PASSING)
