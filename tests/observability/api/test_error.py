"""GET /api/errors/{id}, and POST to /resolve, /ignore and /reopen below it."""

from uuid import uuid4

import pytest

from observability.models import ErrorGroup
from tests.observability.errors.support import capture, caught, fail, make_error


@pytest.fixture
def group(db):
    """An error with a stack."""
    capture(caught(fail, "broken"), source="request", note="here")
    return ErrorGroup.objects.get()


@pytest.fixture
def url(group):
    """Its address."""
    return f"/api/errors/{group.pk}"


def test_one_error(api, adam, url):
    shown = api(adam).get(url).json()
    assert shown["title"] == "RuntimeError: broken"
    assert shown["version"] == 1
    assert [part["kind"] for part in shown["why"]] == ["platform", "type", "function", "function"]
    assert shown["why"][-1]["value"] == "tests.observability.errors.support.fail"
    assert [hour["count"] for hour in shown["hours"]] == [1]
    [report] = shown["reports"]
    assert report["message"] == "broken"
    assert report["context"] == {"note": "here"}
    assert report["stack"][0]["frames"][-1]["function"] == "fail"


def test_the_latest_ten_reports(api, adam):
    group = make_error(count=12)
    assert len(api(adam).get(f"/api/errors/{group.pk}").json()["reports"]) == 10


def test_resolving(api, adam, url, group):
    answer = api(adam).post(f"{url}/resolve", {})
    assert (answer.status_code, answer.json()["status"]) == (200, "resolved")
    again = api(adam).post(f"{url}/resolve", {})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    group.refresh_from_db()
    assert group.status == "resolved"


def test_resolving_for_the_next_release(api, adam, url, settings):
    answer = api(adam).post(f"{url}/resolve", {"in_next_release": True})
    assert answer.json()["resolved_in"] == settings.RELEASE


@pytest.mark.parametrize("body", [{"in_next_release": "soon"}, {"release": "2.0"}, []])
def test_an_odd_body_is_refused(api, adam, url, body):
    assert api(adam).post(f"{url}/resolve", body).status_code == 400


def test_ignoring_and_reopening(api, adam, url):
    assert api(adam).post(f"{url}/ignore").json()["status"] == "ignored"
    assert api(adam).post(f"{url}/reopen").json()["status"] == "open"
    assert api(adam).post(f"{url}/reopen").status_code == 409


@pytest.mark.parametrize("action", ["", "/resolve", "/ignore", "/reopen"])
def test_who_may(api, adam, alice, vera, url, action):
    def ask(client, address):
        return client.get(address) if not action else client.post(address, {})

    assert ask(api(), url + action).status_code == 401
    for user in (alice, vera):
        assert ask(api(user), url + action).status_code == 403
    assert ask(api(adam), f"/api/errors/{uuid4()}{action}").status_code == 404
