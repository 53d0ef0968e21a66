"""The landing page and the error pages."""

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.test import Client, override_settings
from django.urls import include, path

from hummbl import pages
from hummbl.errors import AppError, Conflict


def _raise(error):
    def view(request):
        raise error

    return view


urlpatterns = [
    path("boom", _raise(RuntimeError("canary-5f2a"))),
    path("denied", _raise(PermissionDenied("secret reason"))),
    path("bad", _raise(SuspiciousOperation("secret reason"))),
    path("big", _raise(RequestDataTooBig("secret reason"))),
    path("conflict", _raise(Conflict("Pause the workflow first."))),
    path("slow-down", _raise(AppError("Easy.", status=429, headers={"Retry-After": "42"}))),
    path("api/conflict", _raise(Conflict("Pause the workflow first.", details={"a": 1}))),
    path("", include("hummbl.urls")),
]
handler400 = pages.bad_request
handler403 = pages.forbidden
handler404 = pages.not_found
handler500 = pages.server_error


@pytest.fixture
def here():
    """A client of the URLs above that gets the 500 page instead of the exception."""
    with override_settings(ROOT_URLCONF=__name__):
        yield Client(raise_request_exception=False)


@pytest.mark.parametrize(
    ("url", "status", "said"),
    [
        ("/boom", 500, "Something broke on our side"),
        ("/denied", 403, "You may not do this"),
        ("/bad", 400, "That request made no sense to us"),
        ("/big", 413, "A form may hold at most 1 MB"),
        ("/conflict", 409, "Pause the workflow first."),
        ("/nowhere", 404, "There is nothing here"),
    ],
)
def test_says_what_happened_and_the_request_id(here, url, status, said):
    response = here.get(url, headers={"X-Request-ID": "a-known-request-id"})
    body = response.content.decode()
    assert response.status_code == status
    assert said in body
    assert "a-known-request-id" in body
    assert "secret reason" not in body
    assert "canary-5f2a" not in body


def test_429_says_when_to_come_back(here):
    response = here.get("/slow-down")
    assert response.status_code == 429
    assert response["Retry-After"] == "42"
    assert "<span data-countdown>42</span>" in response.content.decode()


# Without the `db` mark: a query would fail the test.
def test_500_needs_no_database_and_no_session(here):
    here.cookies["sessionid"] = "x" * 32
    assert here.get("/boom").status_code == 500


def test_404_needs_no_database(here):
    here.cookies["sessionid"] = "x" * 32
    assert here.get("/nowhere").status_code == 404


def test_the_theme_of_the_person_is_kept(here):
    here.cookies["theme"] = "dark"
    assert b'data-theme="dark"' in here.get("/nowhere").content
    here.cookies["theme"] = '"><script>'
    assert b"data-theme" not in here.get("/nowhere").content.split(b"<head>")[0]


def test_the_api_answers_in_json(here):
    response = here.get("/api/conflict")
    assert response.status_code == 409
    assert response.json() == {
        "error": "Pause the workflow first.",
        "code": "conflict",
        "details": {"a": 1},
    }
    assert here.get("/api/nowhere").json()["code"] == "not_found"


def test_a_hostile_path_is_escaped(here):
    assert b"<script>alert" not in here.get("/<script>alert(1)</script>").content


@pytest.mark.django_db
def test_landing_for_strangers(client, settings):
    body = client.get("/").content.decode()
    assert "make run" in body
    assert "/signup" in body
    settings.REGISTRATION_OPEN = False
    assert "/signup" not in client.get("/").content.decode()


def test_landing_sends_who_is_signed_in_to_the_dashboard(client, alice):
    client.force_login(alice)
    assert client.get("/")["Location"] == "/dashboard"


@pytest.mark.django_db
def test_landing_wrong_method(client):
    response = client.post("/")
    assert response.status_code == 405
    assert "That does not work from here" in response.content.decode()


@pytest.mark.django_db
def test_landing_runs_no_query_for_strangers(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        client.get("/")


@pytest.mark.django_db
def test_pages_carry_a_strict_policy(client):
    """security.md 27."""
    policy = client.get("/")["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
