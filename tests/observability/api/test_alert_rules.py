"""/api/alert-rules."""

import pytest

from observability import metrics
from observability.models import AlertRule, MetricSeries, NotificationChannel

URL = "/api/alert-rules"
BODY = {"name": "Slow", "metric": "request.duration", "aggregate": "p95", "threshold": 2}


def test_a_rule_about_a_metric(api, adam):
    channel = NotificationChannel.objects.get()
    body = {**BODY, "tags": {"route": "/api/keys"}, "channels": [str(channel.pk)]}
    response = api(adam).post(URL, body)
    assert response.status_code == 201
    said = response.json()
    assert said["summary"] == "p95 of request.duration (route=/api/keys) above 2.0 s within 5 m"
    assert (said["unit"], said["state"], said["value"]) == ("seconds", "ok", None)
    assert said["channels"] == [str(channel.pk)]
    assert api(adam).get(f"{URL}/{said['id']}").json() == said


def test_a_rule_about_a_condition(api, adam):
    body = {"name": "No worker", "condition": "workers-alive", "comparison": "below"}
    said = api(adam).post(URL, {**body, "threshold": 1}).json()
    assert said["summary"] == "Workers alive below 1"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"metric": ""}, "condition"),
        ({"condition": "workers-alive"}, "condition"),
        ({"metric": "", "aggregate": "", "condition": "nothing-known"}, "condition"),
        ({"aggregate": ""}, "aggregate"),
        ({"metric": "request.count"}, "aggregate"),
        ({"metric": "request.duratoin"}, 'Did you mean "request.duration"?'),
        ({"tags": {"": "x"}}, "tags"),
        ({"tags": {str(n): "x" for n in range(11)}}, "tags"),
        ({"threshold": "2"}, "threshold"),
        ({"threshold": True}, "threshold"),
        ({"threshold": 1e300}, "threshold"),
        ({"window_seconds": 59}, "window_seconds"),
        ({"window_seconds": 60.5}, "window_seconds"),
        ({"repeat_seconds": 1}, "repeat_seconds"),
        ({"is_active": "yes"}, "is_active"),
        ({"name": ""}, "name"),
        ({"slug": "mine"}, "slug"),
        ({"channels": ["00000000-0000-0000-0000-000000000000"]}, "channels"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(api, adam, change, path):
    response = api(adam).post(URL, {**BODY, **change})
    assert response.status_code == 400
    assert path in str(response.json()["details"])
    assert not AlertRule.objects.filter(name="Slow").exists()


def test_a_metric_of_somebody_elses_can_be_watched_once_it_was_recorded(api, adam):
    body = {**BODY, "metric": "tea.brewed"}
    assert api(adam).post(URL, body).status_code == 400
    metrics.record("tea.brewed", 3)
    metrics.flush()
    rule = api(adam).post(URL, body).json()
    MetricSeries.objects.filter(name="tea.brewed").delete()
    # What is watched already may be forgotten meanwhile: the rest can be changed all the same.
    changed = api(adam).patch(f"{URL}/{rule['id']}", {**body, "is_active": False})
    assert (changed.status_code, changed.json()["is_active"]) == (200, False)


def test_a_name_is_given_once(api, adam):
    assert api(adam).post(URL, BODY).status_code == 201
    response = api(adam).post(URL, BODY)
    assert (response.status_code, response.json()["code"]) == (409, "name_taken")


def test_what_a_change_leaves_out_stays(api, adam):
    rule = AlertRule.objects.get(slug="slow-requests")
    response = api(adam).patch(f"{URL}/{rule.pk}", {"threshold": 9, "is_active": False})
    assert response.status_code == 200
    assert (response.json()["threshold"], response.json()["state"]) == (9, "inactive")
    rule.refresh_from_db()
    assert (rule.metric, rule.aggregate) == ("request.duration", "p95")


def test_deleted_for_good(api, adam):
    rule = AlertRule.objects.get(slug="slow-requests")
    assert api(adam).delete(f"{URL}/{rule.pk}").status_code == 204
    assert api(adam).get(f"{URL}/{rule.pk}").status_code == 404


def test_the_list_takes_the_same_queries_for_many(api, adam, django_assert_max_num_queries):
    for number in range(20):
        AlertRule.objects.create(name=f"Rule {number}", condition="workers-alive", threshold=1)
    client = api(adam)
    with django_assert_max_num_queries(5):
        assert len(client.get(URL).json()["results"]) == 27


def test_a_channel_that_there_is_not(api, adam):
    nowhere = "00000000-0000-7000-8000-000000000000"
    response = api(adam).post(URL, {**BODY, "channels": [nowhere]})
    assert response.status_code == 400
    assert response.json()["error"] == "channels: There is no channel with this id."


@pytest.mark.parametrize(("who", "status"), [(None, 401), ("alice", 403), ("vera", 403)])
def test_for_administrators_alone(api, request, db, who, status):
    client = api(request.getfixturevalue(who) if who else None)
    rule = AlertRule.objects.first()
    assert client.get(URL).status_code == status
    assert client.post(URL, BODY).status_code == status
    assert client.patch(f"{URL}/{rule.pk}", {"threshold": 1}).status_code == status
    assert client.delete(f"{URL}/{rule.pk}").status_code == status
