"""A rule whose reading the tests set, a clock, and a server that takes webhooks."""

import json
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from observability.alerts import conditions, evaluation
from observability.alerts.conditions import Condition, Reading
from observability.models import AlertRule, Delivery, NotificationChannel

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Watched:
    """A rule above 10, what it reads next, and the minutes that pass."""

    def __init__(self, now):
        self.now = now
        self.at = NOON
        self.reading = Reading(0)
        self.rule = AlertRule.objects.create(
            name="Too hot", condition="heat", threshold=10, severity="high", repeat_seconds=3600
        )

    def change(self, **values):
        AlertRule.objects.filter(pk=self.rule.pk).update(**values)
        self.rule.refresh_from_db()

    def read(self, value, *, samples=1, minutes=1):
        """Let minutes pass, each with this reading."""
        self.reading = None if value is None else Reading(value, samples)
        for _ in range(minutes):
            self.at += timedelta(minutes=1)
            self.now(self.at)
            evaluation.evaluate()
        self.rule.refresh_from_db()

    @property
    def alert(self):
        """The newest one."""
        return self.rule.alerts.order_by("created_at", "id").last()

    @property
    def told(self):
        """The events that channels were told, in order."""
        events = Delivery.objects.order_by("created_at", "id").values_list("event", flat=True)
        return list(events)


@pytest.fixture
def now(monkeypatch):
    """`now(moment)` sets the time of rules and messages."""

    def set_time(moment):
        monkeypatch.setattr("django.utils.timezone.now", lambda: moment)

    return set_time


@pytest.fixture
def only_ours(db):
    """No ready-made rule, and the one channel that writes to the administrators."""
    AlertRule.objects.all().delete()
    NotificationChannel.objects.all().delete()
    return NotificationChannel.objects.create(name="Administrators", kind="email")


@pytest.fixture
def heat(only_ours, now, monkeypatch):
    """The rule."""
    monkeypatch.setattr(conditions, "_conditions", dict(conditions._conditions))
    watched = Watched(now)
    conditions.register(Condition("heat", "Heat", "°C", lambda start, end: watched.reading))
    return watched


class _Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body, json.loads(body)))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        if not self.server.endless:
            self.send_header("Content-Length", "0")
        self.end_headers()
        with suppress(OSError):  # until whoever asked has gone
            while self.server.endless:
                self.wfile.write(bytes(1 << 16))

    def log_message(self, *args):
        pass


@contextmanager
def hook_server():
    """A server whose `got` are headers, body and JSON of each POST; `answers` come first.

    While it is `endless` its answers are.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hook)
    server.got, server.answers, server.endless = [], [], False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.endless = False
        server.shutdown()
        server.server_close()


@pytest.fixture
def hook(settings):
    """The server, which the guard lets through."""
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    with hook_server() as server:
        server.url = f"http://127.0.0.1:{server.server_port}/services/T0/canary-path?sig=canary"
        yield server
