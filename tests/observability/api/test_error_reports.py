"""POST /api/errors: errors that a browser met.

security.md 26
"""

import json

import pytest
from django.test import Client

from observability import metrics
from observability.models import ErrorGroup, ErrorReport

URL = "/api/errors"
STACK = """TypeError: x is undefined
    at paint (http://testserver/static/js/dag.js:12:7)
    at http://testserver/static/js/execution.js:3:1"""
ERROR = {"message": "TypeError: x is undefined", "stack": STACK}


def send(client, body=None, **options):
    return client.post(URL, ERROR if body is None else body, format="json", **options)


def test_an_error_becomes_a_group(api, db):
    for _ in range(3):
        assert send(api()).status_code == 202
    metrics.flush()
    group = ErrorGroup.objects.get()
    assert (group.source, group.severity, group.count) == ("visitor", "medium", 3)
    assert "x is undefined" in group.title


def test_what_is_noted_with_it(api, alice):
    page = "/workflows/0198c7a0-0000-7000-8000-000000000001"
    body = {**ERROR, "severity": "high", "context": {"page": page}}
    response = send(api(alice), body, HTTP_USER_AGENT="a-browser/1.0")
    assert response.status_code == 202
    assert response.content == b""
    metrics.flush()
    report = ErrorReport.objects.get()
    group = ErrorGroup.objects.get()
    assert (group.source, group.severity) == ("browser", "high")
    assert str(report.user_id) == str(alice.pk)
    noted = json.dumps(report.context)
    assert "/workflows/{id}" in noted
    assert "a-browser/1.0" in noted


@pytest.mark.parametrize(("signed_in", "severity"), [(True, "critical"), (False, "high")])
def test_no_stranger_raises_a_critical_alarm(api, alice, signed_in, severity):
    send(api(alice if signed_in else None), {**ERROR, "severity": "critical"})
    metrics.flush()
    assert ErrorGroup.objects.get().severity == severity


def test_whatever_a_context_holds_is_a_few_short_values(api, alice):
    context = {
        "deep": {"er": [1, None]},
        "none": None,
        "long": "x" * 5000,
        "n" * 500: 1,
        "yes": True,
    }

    assert send(api(alice), {**ERROR, "context": context}).status_code == 202
    metrics.flush()

    kept = ErrorReport.objects.get().context
    assert kept["deep"] == '{"er": [1, null]}'
    assert (kept["none"], kept["yes"], kept["long"]) == ("null", True, "x" * 200)
    assert max(map(len, kept)) <= 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"stack": STACK},
        {**ERROR, "message": ""},
        {**ERROR, "message": 5},
        {**ERROR, "message": "a" * 1001},
        {**ERROR, "stack": "a" * 20_001},
        {**ERROR, "severity": "urgent"},
        {**ERROR, "context": "here"},
        {**ERROR, "user": "alice"},
    ],
)
def test_what_makes_no_sense(api, db, body):
    response = send(api(), body)
    assert response.status_code == 400
    assert response.json()["code"] == "invalid"
    metrics.flush()
    assert not ErrorGroup.objects.filter(source="visitor").exists()


def test_at_most_64_kilobytes(api, db):
    body = json.dumps(ERROR) + " " * 64 * 1024
    assert api().post(URL, body, content_type="application/json").status_code == 413


def test_a_cookie_without_a_csrf_token(alice, db):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    for kind in ("application/json", "text/plain;charset=UTF-8"):
        assert client.post(URL, json.dumps(ERROR), content_type=kind).status_code == 202
    metrics.flush()
    assert str(ErrorReport.objects.first().user_id) == str(alice.pk)


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_another_site(api, alice, headers):
    response = send(api(alice), headers=headers)
    assert response.status_code == 403
    assert response.json()["code"] == "foreign_origin"
    metrics.flush()
    assert not ErrorGroup.objects.exists()


def test_the_limit_is_that_of_telemetry(api, db, limits):
    limits(TELEMETRY="1/m")
    assert send(api()).status_code == 202
    response = api().post("/api/telemetry", {"events": []}, format="json")
    assert response.status_code == 429
    assert response["Retry-After"]


def test_many_errors_are_few_rows(api, db):
    """The count is exact, the reports are samples."""
    client = api()
    for number in range(50):
        send(client, {**ERROR, "context": {"attempt": number}})
    metrics.flush()
    assert ErrorGroup.objects.get().count == 50
    assert ErrorReport.objects.count() <= 10
