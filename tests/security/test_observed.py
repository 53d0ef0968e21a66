"""What a stranger can send to be noted, and what notes must not give away or do."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from django.http import StreamingHttpResponse

from accounts.models import AuditEntry
from hummbl.encryption import DecryptionError, decrypt
from observability import errors, metrics, names, newcomers, series, telemetry
from observability.alerts import evaluation, sending
from observability.buffer import MOST_SERIES
from observability.models import (
    Alert,
    AlertRule,
    Delivery,
    ErrorGroup,
    ErrorReport,
    MetricSeries,
    NotificationChannel,
    Silence,
)
from tests.security.routes import rules

pytestmark = pytest.mark.django_db

SECRET_PATH = "services-T0-canary-7f31c5a90b2e4d68"
URL = f"https://hooks.example.com/{SECRET_PATH}"
SCRIPT = "<script>alert(1)</script>"
MARKUP = f'"><img src=x onerror=alert(1)>{SCRIPT}'


def sums(name, tag):
    """The metric's sums by the tag, of all time."""
    metrics.flush()
    now = datetime.now(UTC)
    read = series.by(name, now - timedelta(hours=1), now + timedelta(hours=1), [tag])
    return {value: summary.sum for (value,), summary in read.items()}


def event(number):
    return {"type": "event", "name": f"made-up-{number}", "props": {}}


# Floods


@pytest.mark.slow
def test_a_hundred_thousand_names_are_few_rows_and_all_are_counted():
    """security.md 26: of events, of hosts, of pages, and of any label there is."""
    many = 100_000
    for number in range(many):
        metrics.count(names.REQUEST_COUNT, route=f"/{number}")
        view = {"type": "view", "name": f"/{number}", "props": {"referrer": f"h{number}.example"}}
        telemetry.count([view, event(number)], signed_in=number % 2 == 0)
        if number % 25_000 == 0:
            metrics.flush()
    for name, tag in (
        (names.REQUEST_COUNT, "route"),
        (names.REFERRERS, "host"),
        (names.BROWSER_EVENTS, "event"),
    ):
        assert sum(sums(name, tag).values()) == many
        assert MetricSeries.objects.filter(name=name).count() <= MOST_SERIES + 1
    assert sums(names.PAGE_VIEWS, "page") == {"unmatched": many}


def test_strangers_leave_room_for_the_names_of_others():
    """security.md 26: also over several processes and restarts."""
    for process in range(3):
        for number in range(2 * newcomers.ROOM):
            telemetry.count([event(f"{process}-{number}")], signed_in=False)
        metrics.flush()
        newcomers.reset()
    assert MetricSeries.objects.filter(name=names.BROWSER_EVENTS).count() == newcomers.ROOM + 1
    telemetry.count([event("real")], signed_in=True)
    metrics.flush()
    newcomers.reset()
    # A name that there is may be counted by anybody.
    telemetry.count([event("real")], signed_in=False)
    found = sums(names.BROWSER_EVENTS, "event")
    assert found["made-up-real"] == 2
    assert sum(found.values()) == 6 * newcomers.ROOM + 2


def test_visitors_errors_push_nobody_elses_out(alice):
    """security.md 26: neither a group, nor a report, nor the state that somebody gave it."""
    stack = "at paint (https://example.com/static/js/dag.js:12:7)"
    errors.capture_browser("TypeError: real", stack, user=alice)
    metrics.flush()
    real = ErrorGroup.objects.get()
    real.resolve(by=None)
    for number in range(3):
        for kind in range(500):
            errors.capture_browser(f"TypeError: {chr(97 + kind % 26)}{'x' * kind}", severity="high")
        for _ in range(50):
            errors.capture_browser("TypeError: real", stack, "high")
        metrics.flush()
        if number == 0:
            errors.capture(RuntimeError("Also real"), source="worker")
    metrics.flush()
    real.refresh_from_db()
    assert (real.status, real.count, real.severity) == ("resolved", 1, "medium")
    assert real.reports.count() == 1
    assert ErrorGroup.objects.filter(source="worker").count() == 1
    visitors = ErrorGroup.objects.filter(source="visitor")
    assert visitors.count() == 101
    assert sum(visitors.values_list("count", flat=True)) == 3 * 550
    assert max(group.reports.count() for group in visitors) <= 10
    assert ErrorReport.objects.count() <= 101 * 10 + 2


def test_a_storm_of_visitors_pages_nobody(api):
    """security.md 26: whatever they call it."""
    body = {"message": "Error: x", "severity": "critical"}
    for number in range(30):
        sent = {**body, "message": f"Error: {'x' * number}"}
        assert api().post("/api/errors", sent, format="json").status_code == 202
    metrics.flush()
    AlertRule.objects.exclude(slug="critical-error").delete()
    evaluation.evaluate()
    assert not Alert.objects.exists()
    assert not Delivery.objects.exists()


# Bodies


@pytest.mark.parametrize("path", ["/api/errors", "/api/telemetry"])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("[" * 100_000, 413),
        ('{"events": ' + "[" * 30_000 + "]" * 30_000 + "}", 400),
        ('{"message": NaN, "events": [NaN]}', 400),
        ('{"message": "x", "context": {"n": 1e999}, "events": [{"at": Infinity}]}', 400),
        ('{"message": "\\u0000", "events": [{"type": "event", "name": "\\u0000"}]}', 400),
        ('{"message": "\\ud800", "events": [{"type": "event", "name": "\\ud800"}]}', 400),
        ("[]", 400),
        ("null", 400),
        ("", 400),
        ('"x"', 400),
        ("\xff", 400),
    ],
)
@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_bodies_that_are_meant_to_hurt(client, path, body, status, kind):
    """security.md 19, 26"""
    answer = client.post(path, body.encode("latin-1"), content_type=kind)
    assert answer.status_code == status
    assert set(answer.json()) >= {"code", "error"}
    metrics.flush()
    assert not ErrorGroup.objects.exists()
    assert not MetricSeries.objects.filter(name__startswith="browser.").exists()


@pytest.mark.parametrize("path", ["/api/errors", "/api/telemetry"])
def test_a_body_that_is_packed_or_a_form(client, path):
    """security.md 19: a page of another site can send forms without asking first."""
    packed = {"content_type": "application/json", "headers": {"Content-Encoding": "gzip"}}
    assert client.post(path, b"\x1f\x8b", **packed).status_code == 415
    assert client.post(path, {"message": "x"}).status_code == 415


# Script and headers


def test_markup_is_text_on_every_page(world):
    """security.md 27: in errors, events, hosts, routes, rules, channels, silences and summaries."""
    errors.capture_browser(
        f"{MARKUP}Error: {MARKUP}",
        f"at {MARKUP} (https://example.com/{MARKUP}.js:1:2)",
        context={"page": f"/{MARKUP}", "url": "javascript:alert(1)", MARKUP: MARKUP},
    )
    errors.capture(RuntimeError(MARKUP), source="worker", note=MARKUP)
    for name, tag in ((names.REFERRERS, "host"), (names.BROWSER_EVENTS, "event")):
        metrics.count(name, **{tag: MARKUP})
    for name in (names.REQUEST_DURATION, names.DB_SLOW_QUERIES, names.AI_CALL_DURATION):
        metrics.record(name, 3, route=MARKUP, statement=MARKUP, model=MARKUP, provider=MARKUP)
    metrics.record(names.PAGE_VIEWS, 1, page=MARKUP)
    metrics.record(MARKUP, 1, route=MARKUP)
    metrics.flush()
    rule = AlertRule.objects.create(
        name=MARKUP, metric=MARKUP, tags={"route": MARKUP}, aggregate="sum", threshold=-1
    )
    channel = NotificationChannel.objects.create(name=MARKUP, kind="webhook", host=MARKUP)
    rule.channels.add(channel)
    evaluation.evaluate()
    Delivery.objects.update(error=MARKUP)
    Silence.objects.update(reason=MARKUP)
    group = ErrorGroup.objects.filter(source="visitor").order_by("created_at").last()
    world.ids |= {"error": group.pk, "rule": rule.pk, "channel": channel.pk}
    world.ids["alert"] = Alert.objects.get(rule=rule).pk
    seen, shown = 0, []
    for rule in rules("pages"):
        if rule.method != "GET" or not rule.path.startswith("/manage"):
            continue
        response = world.ask(rule, "admin")
        if response.streaming:
            continue
        content = response.content.decode(errors="replace")
        seen += "alert(1)" in content
        if SCRIPT in content or "<img src=x" in content or 'href="javascript:' in content:
            shown.append(rule.path)
    assert not shown
    assert seen >= 6


@pytest.mark.parametrize("mark", ["\n", "\r", "\r\n", "\x0b", "\u2028", "\x00"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/alert-rules", {"condition": "workers-alive", "threshold": 1}),
        ("/api/channels", {"kind": "email"}),
    ],
)
def test_names_cannot_write_headers_of_mails(api, adam, mark, path, body):
    """A name of two lines would be a subject that no mail can have, or more than a subject."""
    name = f"Hot{mark}Bcc: evil@example.com"
    answer = api(adam).post(path, {**body, "name": name}, format="json")
    assert answer.status_code == 400, answer.content
    made = api(adam).post(path, {**body, "name": "Hot"}, format="json").json()
    address = f"{path}/{made.get('id') or made['channel']['id']}"
    assert api(adam).patch(address, {"name": name}, format="json").status_code == 400


@pytest.mark.parametrize("address", ["a@example.com\nBcc: evil@example.com", "a@b.c, evil@b.c"])
def test_addresses_cannot_write_headers_of_mails(api, adam, address):
    body = {"kind": "email", "name": "Mail", "addresses": [address]}
    assert api(adam).post("/api/channels", body, format="json").status_code == 400


# Webhooks


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://169.254.169.254/latest/meta-data",
        "https://2130706433/x",
        "https://0x7f.1/x",
        "https://localhost/x",
        "https://user:word@hooks.example.com/x",
        "https://hooks.example.com/x\r\nX-Evil: 1",
        "https://hooks.example.com/x?a=\nb",
        "https://hooks.example.com/x#part",
        "file:///etc/passwd",
        "gopher://hooks.example.com/",
        "https://" + "a" * 300 + ".example.com/x",
        "https://hooks.example.com:0/x",
        "https://hooks.example.com/" + "x" * 3000,
    ],
)
def test_where_a_webhook_cannot_lead(api, adam, url):
    """security.md 17: by the API and by the page, when it is made and when it is moved."""
    client = api(adam)
    body = {"kind": "webhook", "name": "Hook", "url": url}
    assert client.post("/api/channels", body, format="json").status_code == 400
    good = {**body, "url": URL}
    pk = NotificationChannel.create(by=adam, **good)[0].pk
    assert client.patch(f"/api/channels/{pk}", {"url": url}, format="json").status_code == 400
    assert NotificationChannel.objects.get(pk=pk).address_and_secret()[0] == URL


@pytest.fixture
def hook(adam):
    """A webhook, with the secret that signs for it."""
    NotificationChannel.objects.all().delete()
    return NotificationChannel.create(by=adam, kind="webhook", name="Hook", url=URL)


def test_address_and_secret_of_a_webhook_are_shown_nowhere(world, caplog, settings):
    """security.md 14: HTML, the Django admin, the API, /metrics, logs, audit, repr and rows."""
    admin = world.people["admin"]
    channel, secret = NotificationChannel.create(by=admin, kind="webhook", name="Hook", url=URL)
    logging.disable(logging.NOTSET)
    caplog.set_level(logging.DEBUG)
    world.ids["channel"] = channel.pk
    settings.PROMETHEUS_TOKEN = "a-token-of-prometheus"
    telltales = (SECRET_PATH, secret)
    Silence.objects.all().delete()
    rule = AlertRule.objects.create(name="Always", condition="workers-alive", threshold=-1)
    evaluation.evaluate()
    sending.deliver()
    assert Delivery.objects.filter(channel=channel, alert__rule=rule).exclude(error="").exists()
    channel.change(by=admin, url=URL + "/moved", name="Moved")
    channel.change(by=admin, is_active=False)
    metrics.flush()

    shown = []
    for kind in ("pages", "api", "admin"):
        for route in rules(kind):
            if route.method != "GET" and "/channel" not in route.path:
                continue
            response = world.ask(route, "admin")
            if isinstance(response, StreamingHttpResponse) and response.is_async:
                continue
            content = b"".join(response) if response.streaming else response.content
            text = content.decode(errors="replace") + str(response.headers)
            if any(telltale in text for telltale in telltales):
                shown.append(f"{route.method} {route.path}")
    assert not shown
    headers = {"Authorization": f"Bearer {settings.PROMETHEUS_TOKEN}"}
    found = [world.client("anonymous").get("/metrics", headers=headers).content.decode()]
    found += [repr(channel), str(channel), channel.destination, channel.secret_label]
    for model in (AuditEntry, Delivery, Alert, ErrorReport, ErrorGroup, NotificationChannel):
        found += [str(row) for row in model.objects.values()]
    found += [record.getMessage() + str(record.__dict__) for record in caplog.records]
    assert not [text for text in found if any(telltale in text for telltale in telltales)]


def test_a_stored_secret_cannot_be_moved_to_another_channel(hook, adam):
    """security.md 15"""
    channel, _ = hook
    other, _ = NotificationChannel.create(by=adam, kind="webhook", name="Other", url=URL)
    other.url_ciphertext = channel.url_ciphertext
    with pytest.raises(DecryptionError):
        other.address_and_secret()
    assert decrypt(channel.url_ciphertext, associated=channel.pk) == URL


def test_a_viewers_and_a_strangers_words_change_no_alert(api, vera, alice):
    """security.md 1: everything of alerts, errors and metrics is the administrators'."""
    for path in ("alerts", "alert-rules", "alert-silences", "channels", "errors", "metrics"):
        for who, status in ((None, 401), (vera, 403), (alice, 403)):
            assert api(who).get(f"/api/{path}?name=request.count").status_code == status


def test_the_token_of_prometheus_opens_nothing_else(client, settings):
    """security.md 28"""
    settings.PROMETHEUS_TOKEN = "a-token-of-prometheus"
    headers = {"Authorization": f"Bearer {settings.PROMETHEUS_TOKEN}"}
    assert client.get("/metrics", headers=headers).status_code == 200
    for path in ("/api/metrics?name=request.count", "/api/alerts", "/api/auth/me"):
        assert client.get(path, headers=headers).status_code == 401
    for wrong in ("", "Bearer", "Bearer ", "Bearer é", "Basic a-token-of-prometheus", "Bearer a"):
        assert client.get("/metrics", headers={"Authorization": wrong}).status_code == 401
    assert client.get(f"/metrics?token={settings.PROMETHEUS_TOKEN}").status_code == 401
