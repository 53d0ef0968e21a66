"""Whether the time of an answer tells if an account exists: sign-in, registration and reset.

Everything is as a stranger would meet it but for the network: real hashes, whole requests through
all middleware, in an order that chance makes, mails that take their time. Differences that only
show here, under no load, are far smaller than what a network adds.
"""

import itertools
import math
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage
from django.test import Client
from django.utils import timezone

from benchmarks.figures import percentile
from tests.factories import PASSWORD, make_user

WRONG = "not the right password"
MAIL_SECONDS = 0.05
KNOWN, UNKNOWN, INACTIVE = "known", "unknown", "inactive"
_numbers = itertools.count(1)

Attempt = Callable[[], Any]


class SlowMail(BaseEmailBackend):
    """A mail server that takes its time."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Nothing is sent."""
        time.sleep(MAIL_SECONDS)
        return len(email_messages)


def compare(samples: int) -> dict[str, Any]:
    """`cases`: status, `p50` and `p95` in ms of each; `pairs`: how likely two are the same."""
    for name in ("AUTH", "API", "PAGES", "EXECUTE", "MAIL"):
        setattr(settings, f"RATE_LIMIT_{name}", "")
    # Set and not overridden: mails are on their way when this function has ended.
    settings.EMAIL_BACKEND = f"{SlowMail.__module__}.{SlowMail.__qualname__}"
    settings.ALLOWED_HOSTS = ["testserver"]
    groups = _groups()
    waits, statuses = _measure(groups, samples)
    assert 404 not in statuses.values(), statuses
    cases = {
        name: {
            "status": statuses[name],
            "p50": percentile(waits[name], 50),
            "p95": percentile(waits[name], 95),
        }
        for name in waits
    }
    pairs = [
        {
            "one": one,
            "other": other,
            "difference": cases[other]["p50"] - cases[one]["p50"],
            "p": mann_whitney(waits[one], waits[other]),
        }
        for group in groups.values()
        for one, other in itertools.combinations(group, 2)
    ]
    return {"cases": cases, "pairs": pairs}


def _groups() -> dict[str, dict[str, Attempt]]:
    """By what is asked for, the attempts that must take equally long, by name."""
    known = make_user("known@example.com", email_verified_at=timezone.now())
    inactive = make_user("inactive@example.com", is_active=False)
    emails = {KNOWN: known.email, UNKNOWN: "", INACTIVE: inactive.email}
    ways = {
        "login API": ("/api/auth/login", {"password": WRONG}),
        "login page": ("/signin", {"password": WRONG}),
        "reset API": ("/api/auth/reset", {}),
        "reset page": ("/reset", {}),
    }
    groups = {
        way: {
            f"{way}, {case}": _post(path, {"email": email, **fields})
            for case, email in emails.items()
        }
        for way, (path, fields) in ways.items()
    }
    for way, path in {"register API": "/api/auth/register", "register page": "/signup"}.items():
        groups[way] = {
            f"{way}, taken": _post(path, {"email": known.email, "password": PASSWORD, "name": ""}),
            f"{way}, new": _post(path, {"email": "", "password": PASSWORD, "name": ""}),
        }
    return groups


def _post(path: str, fields: dict[str, str]) -> Attempt:
    """Post that; an empty address becomes one that nobody has had before."""
    kind = "application/json" if path.startswith("/api/") else None

    def attempt() -> Any:
        client = Client()
        email = fields["email"] or f"nobody-{next(_numbers)}@example.com"
        return client.post(
            path, {**fields, "email": email}, **({"content_type": kind} if kind else {})
        )

    return attempt


def _measure(
    groups: dict[str, dict[str, Attempt]], samples: int
) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Milliseconds and the status of each case, all cases in turns."""
    attempts = {name: attempt for group in groups.values() for name, attempt in group.items()}
    waits: dict[str, list[float]] = {name: [] for name in attempts}
    statuses: dict[str, int] = {}
    for attempt in attempts.values():
        attempt()  # warms up
    for _ in range(samples):
        for name in random.sample(list(attempts), len(attempts)):
            begun = time.perf_counter()
            answer = attempts[name]()
            waits[name].append(1000 * (time.perf_counter() - begun))
            statuses[name] = answer.status_code
    return waits, statuses


def mann_whitney(one: Sequence[float], other: Sequence[float]) -> float:
    """How likely samples differ at least so much that come from the same distribution (two-sided).

    The normal approximation, for samples of twenty or more.
    """
    together = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    ranks, ties, place = 0.0, 0.0, 1
    for _, group in itertools.groupby(together, key=lambda pair: pair[0]):
        owners = [owner for _, owner in group]
        size = len(owners)
        ranks += owners.count(0) * (place + (size - 1) / 2)
        ties += size**3 - size
        place += size
    n, m = len(one), len(other)
    total = n + m
    u = ranks - n * (n + 1) / 2
    variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    if variance <= 0:
        return 1.0
    return math.erfc(abs(u - n * m / 2) / math.sqrt(2 * variance))
