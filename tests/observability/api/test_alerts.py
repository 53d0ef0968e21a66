"""/api/alerts and /api/alert-silences."""

from datetime import timedelta

import pytest
from django.utils import timezone

from observability.models import Alert, AlertRule, Silence
from tests.observability.alerts.made import make_alert

URL = "/api/alerts"
SILENCES = "/api/alert-silences"


def in_hours(hours):
    return (timezone.now() + timedelta(hours=hours)).isoformat()


def test_newest_first_with_filters(api, adam):
    alert, _ = make_alert()
    client = api(adam)
    results = client.get(URL).json()["results"]
    assert [each["state"] for each in results] == ["firing", "resolved"]
    assert results[0]["id"] == str(alert.pk)
    assert len(client.get(f"{URL}?state=resolved").json()["results"]) == 1
    assert client.get(f"{URL}?severity=low").json()["results"] == []
    assert len(client.get(f"{URL}?rule_id={alert.rule_id}").json()["results"]) == 2
    assert client.get(f"{URL}?state=odd").status_code == 400
    assert client.get(f"{URL}?rule_id=odd").status_code == 400
    assert client.get(f"{URL}?status=firing").status_code == 400


def test_one_with_what_was_told_of_it(api, adam):
    alert, channel = make_alert()
    said = api(adam).get(f"{URL}/{alert.pk}").json()
    told = {each["channel"]: each for each in said["deliveries"]}
    assert told[channel.name]["state"] == "failed"
    assert told[channel.name]["error"] == "It answers 404."


def test_a_silence_of_one_rule_and_its_end(api, adam):
    rule = AlertRule.objects.first()
    client = api(adam)
    body = {"rule_id": str(rule.pk), "ends_at": in_hours(2), "reason": "Maintenance"}
    response = client.post(SILENCES, body)
    assert response.status_code == 201
    said = response.json()
    assert (said["rule_id"], said["created_by"]) == (str(rule.pk), str(adam.pk))
    assert [each["id"] for each in client.get(SILENCES).json()["results"]] == [said["id"]]
    assert client.delete(f"{SILENCES}/{said['id']}").status_code == 204
    assert client.get(SILENCES).json()["results"] == []
    assert Silence.objects.get().ends_at <= timezone.now()


def test_a_silence_that_has_not_begun_is_forgotten(api, adam):
    body = {"starts_at": in_hours(1), "ends_at": in_hours(2), "reason": "Maintenance"}
    said = api(adam).post(SILENCES, body).json()
    assert said["rule_id"] is None
    api(adam).delete(f"{SILENCES}/{said['id']}")
    assert not Silence.objects.exists()


@pytest.mark.parametrize(
    "change",
    [{"ends_at": in_hours(-1)}, {"starts_at": in_hours(3)}, {"ends_at": in_hours(24 * 91)},
     {"reason": ""}, {"rule_id": "00000000-0000-0000-0000-000000000000"}, {"created_by": "x"}],
)  # fmt: skip
def test_a_silence_that_makes_no_sense(api, adam, change):
    body = {"ends_at": in_hours(2), "reason": "Maintenance", **change}
    assert api(adam).post(SILENCES, body).status_code == 400


@pytest.mark.parametrize(("who", "status"), [(None, 401), ("alice", 403), ("vera", 403)])
def test_for_administrators_alone(api, request, db, who, status):
    alert, _ = make_alert()
    client = api(request.getfixturevalue(who) if who else None)
    for url in (URL, f"{URL}/{alert.pk}", SILENCES):
        assert client.get(url).status_code == status
    assert client.post(SILENCES, {}).status_code == status
    assert client.delete(f"{SILENCES}/{Silence.objects.get().pk}").status_code == status


def test_the_list_takes_the_same_queries_for_many(api, adam, django_assert_max_num_queries):
    alert, _ = make_alert()
    alert.end(timezone.now())
    for _ in range(20):
        past = Alert.begin(alert.rule, 1, timezone.now())
        past.fire(timezone.now())
        past.end(timezone.now())
    client = api(adam)
    with django_assert_max_num_queries(4):
        assert len(client.get(URL).json()["results"]) == 22
