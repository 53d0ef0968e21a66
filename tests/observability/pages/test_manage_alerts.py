"""/manage/alerts: what fires, rules, silences and channels."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from observability.dashboard.panels import showing
from observability.models import Alert, AlertRule, Delivery, NotificationChannel, Silence
from observability.views.alerts import BEFORE
from tests.observability.alerts.made import make_alert

URL = "/manage/alerts"
RULE = {
    "name": "Failures",
    "condition": "metric",
    "metric": "execution.count",
    "aggregate": "sum",
    "tags": "outcome=failed",
    "comparison": "above",
    "threshold": "2.5",
    "window": "10",
    "lasting": "1.5",
    "min_samples": "3",
    "severity": "high",
    "repeat": "2",
    "is_active": "on",
}


def text(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_a_new_installation(browse, adam):
    said = text(browse(adam).get(URL))
    assert "7 rules are looked at every minute" in said
    assert "Nothing was looked at yet" in said
    assert "Nothing has fired yet" in said
    assert "No worker is alive" in said


def test_what_fires_and_what_is_over(browse, adam):
    alert, _ = make_alert()
    said = text(browse(adam).get(URL))
    assert "1.3 s" in said
    assert "All rules are silent until" in said
    assert "Resolved" in said
    page = text(browse(adam).get(f"{URL}/{alert.pk}"))
    assert "It answers 404." in page


def test_from_an_alert_to_what_happened(browse, adam):
    alert, _ = make_alert()
    page = browse(adam).get(f"{URL}/{alert.pk}").content.decode()
    start = (alert.started_at - BEFORE).strftime("%Y-%m-%dT%H:%M")
    for address in ("/manage/metrics", "/manage/metrics/requests"):
        assert f'href="{address}?start={start}' in page
    assert "&amp;tab=requests" in page
    alert.rule.delete()
    assert f"start={start}" not in browse(adam).get(f"{URL}/{alert.pk}").content.decode()


@pytest.mark.django_db
def test_each_ready_made_rule_has_a_chart():
    for rule in AlertRule.objects.exclude(slug=""):
        assert showing(rule.watched_metric), rule.name


def test_the_history_is_filtered_in_its_own_fragment(browse, fragment, adam):
    make_alert()
    page = browse(adam).get(f"{URL}?state=resolved", **fragment).content.decode()
    assert "Resolved" in page
    assert "Firing" not in page
    page = browse(adam).get(f"{URL}?severity=low", **fragment).content.decode()
    assert "Nothing matches" in page


def test_a_rule_is_made_changed_and_deleted(browse, adam):
    client = browse(adam)
    assert client.post(f"{URL}/rules/new", RULE).status_code == 302
    rule = AlertRule.objects.get(name="Failures")
    assert (
        rule.summary
        == "Sum of execution.count (outcome=failed) above 2.5 within 10 m, for 1 m 30 s"
    )
    assert (rule.min_samples, rule.repeat_seconds, rule.severity) == (3, 7200, "high")
    page = client.get(f"{URL}/rules/{rule.pk}").content.decode()
    assert 'value="outcome=failed"' in page
    changed = {**RULE, "condition": "workers-alive", "is_active": ""}
    assert client.post(f"{URL}/rules/{rule.pk}", changed).status_code == 302
    rule.refresh_from_db()
    assert (rule.condition, rule.metric, rule.tags) == ("workers-alive", "", {})
    assert not rule.is_active
    assert client.post(f"{URL}/rules/{rule.pk}/delete").status_code == 302
    assert not AlertRule.objects.filter(pk=rule.pk).exists()


def test_every_ready_made_rule_is_saved_as_it_is(browse, adam):
    client = browse(adam)
    for rule in AlertRule.objects.all():
        form = client.get(f"{URL}/rules/{rule.pk}").context["form"]
        typed = {name: form[name].value() for name in form.fields}
        typed["is_active"] = "on"
        assert client.post(f"{URL}/rules/{rule.pk}", typed).status_code == 302
        after = AlertRule.objects.get(pk=rule.pk)
        assert after.updated_at == rule.updated_at


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tags": "failed"}, "Write name=value"),
        ({"aggregate": "p95"}, "has no percentiles"),
        ({"metric": ""}, "Choose a metric, or a condition."),
        ({"aggregate": ""}, "Choose what is made of the metric"),
        ({"name": "Requests fail"}, "There is a rule named"),
        ({"threshold": "nan"}, "Enter a number"),
    ],
)
def test_what_makes_no_sense_is_said_at_its_field(browse, adam, change, said):
    response = browse(adam).post(f"{URL}/rules/new", {**RULE, **change})
    assert response.status_code in {400, 409, 422}
    assert said in text(response)
    assert not AlertRule.objects.filter(name="Failures").exists()


def test_silence_and_its_end(browse, adam):
    client = browse(adam)
    rule = AlertRule.objects.first()
    client.post(URL, {"rule": rule.pk, "hours": "24", "reason": "Moving"})
    silence = Silence.objects.get()
    assert (silence.rule, silence.reason, silence.created_by) == (rule, "Moving", adam)
    client.post(f"{URL}/silences/{silence.pk}/end")
    assert not Silence.objects.not_over().exists()


@pytest.mark.parametrize(
    ("typed", "field"),
    [({"hours": "72", "reason": ""}, "reason"), ({"hours": "5", "reason": "Moving"}, "hours")],
)
def test_a_silence_that_is_refused_keeps_what_was_typed(browse, adam, typed, field):
    rule = AlertRule.objects.first()
    alert = Alert.begin(rule, 1, timezone.now())
    for url in (URL, f"{URL}/{alert.pk}"):
        response = browse(adam).post(url, {"rule": rule.pk, **typed})
        assert response.status_code == 422
        form = response.context["silence_form"]
        assert list(form.errors) == [field]
        assert {name: form[name].value() for name in typed} == typed
        assert form["rule"].value() == str(rule.pk)
        assert "autofocus" in str(form[field])
    assert not Silence.objects.exists()


def test_who_is_silenced_now_and_what_is_planned(browse, adam):
    alert, _ = make_alert()
    now = timezone.now()
    Silence.objects.all().delete()
    client = browse(adam)
    assert "Silenced" not in text(client.get(URL))
    hours = {n: now + timedelta(hours=n) for n in (1, 2, 3)}
    Silence.create(by=adam, rule=alert.rule, ends_at=hours[1], reason="A new disk")
    Silence.create(by=adam, starts_at=hours[2], ends_at=hours[3], reason="Moving house")
    page = client.get(URL)
    said = text(page)
    assert f"“{alert.rule.name}” is silent until" in said
    assert "Planned Every rule" in said
    # In the list of what fires, and in that of rules.
    assert said.count("Silenced") == 2
    assert "Silenced" in text(client.get(f"{URL}/{alert.pk}"))
    Silence.create(by=adam, ends_at=hours[1], reason="Everything")
    assert text(client.get(URL)).count("Silenced") == 1 + AlertRule.objects.active().count()


def test_a_webhook_is_added_and_its_secret_shown_once(browse, adam):
    client = browse(adam)
    form = {"kind": "webhook", "name": "Chat", "url": "https://hooks.example.com/canary"}
    response = client.post(f"{URL}/channels/new", {**form, "addresses": "", "is_active": "on"})
    assert response.status_code == 201
    channel = NotificationChannel.objects.get(name="Chat")
    _, secret = channel.address_and_secret()
    assert secret in response.content.decode()
    for page in (f"{URL}/channels", f"{URL}/channels/{channel.pk}"):
        shown = client.get(page).content.decode()
        assert "hooks.example.com" in shown
        assert secret not in shown
        assert "canary" not in shown
    assert (
        client.post(f"{URL}/channels/{channel.pk}", {"name": "Chat 2", "url": ""}).status_code
        == 302
    )
    channel.refresh_from_db()
    assert (channel.name, channel.is_active) == ("Chat 2", False)
    client.post(f"{URL}/channels/{channel.pk}/delete")
    assert not NotificationChannel.objects.filter(name="Chat 2").exists()


def test_an_address_inside_is_refused_at_the_form(browse, adam):
    form = {"kind": "webhook", "name": "Chat", "url": "https://127.0.0.1/x"}
    response = browse(adam).post(f"{URL}/channels/new", form)
    assert response.status_code == 400
    assert "ALLOWED_PRIVATE_HOSTS" in text(response)


def test_mailboxes_and_a_test_of_them(browse, adam):
    client = browse(adam)
    form = {"kind": "email", "name": "On call", "addresses": "a@b.co; c@d.co", "is_active": "on"}
    assert client.post(f"{URL}/channels/new", form).status_code == 302
    channel = NotificationChannel.objects.get(name="On call")
    assert channel.addresses == ["a@b.co", "c@d.co"]
    client.post(f"{URL}/channels/{channel.pk}/test")
    assert mail.outbox[0].to == ["a@b.co", "c@d.co"]
    assert Delivery.objects.get().event == "test"
    answer = client.post(f"{URL}/channels/{channel.pk}/test", headers={"HX-Request": "true"})
    assert "The test message was sent to a@b.co" in text(answer)


def test_nobody_is_told_is_said(browse, adam):
    NotificationChannel.objects.update(is_active=False)
    assert "Nobody is told" in text(browse(adam).get(URL))


def test_the_page_takes_the_same_queries_for_many(browse, adam, django_assert_max_num_queries):
    alert, _ = make_alert()
    for number in range(30):
        rule = AlertRule.objects.create(
            name=f"Rule {number}", condition="workers-alive", threshold=1
        )
        Alert.begin(rule, 1, alert.started_at)
    client = browse(adam)
    client.get(URL)
    with django_assert_max_num_queries(14):
        client.get(URL)


@pytest.mark.parametrize("path", ["", "/rules/new", "/channels", "/channels/new"])
def test_for_administrators_alone(browse, alice, vera, client, path):
    assert client.get(URL + path).status_code == 302
    assert browse(alice).get(URL + path).status_code == 403
    assert browse(vera).get(URL + path).status_code == 403
