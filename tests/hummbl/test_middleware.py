import logging

import pytest
import structlog
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.test import RequestFactory

from hummbl.middleware import HEADER, RequestIdMiddleware

FACTORY = RequestFactory()


@pytest.fixture
def answer():
    """`answer(http_request)` passes it through the middleware."""

    def bound(http_request):
        response = HttpResponse(status=getattr(http_request, "wanted_status", 200))
        response.bound = structlog.contextvars.get_contextvars()
        return response

    return RequestIdMiddleware(bound)


@pytest.fixture
def lines(caplog):
    """The access log as it is after the requests: call it."""
    caplog.set_level(logging.INFO, "hummbl.access")
    return lambda: [record for record in caplog.records if record.name == "hummbl.access"]


def test_a_well_formed_id_is_taken_over(answer):
    response = answer(FACTORY.get("/", headers={HEADER: "abc-123_XYZ.4"}))
    assert response[HEADER] == "abc-123_XYZ.4"
    assert response.bound == {"request_id": "abc-123_XYZ.4"}


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "has space 1", "new\nline123", "<script>1"]
)
def test_anything_else_is_replaced(answer, given):
    response = answer(FACTORY.get("/", HTTP_X_REQUEST_ID=given))
    assert response[HEADER] != given
    assert len(response[HEADER]) == 32


def test_the_request_carries_its_id(answer):
    http_request = FACTORY.get("/")
    response = answer(http_request)
    assert http_request.request_id == response[HEADER]


def test_nothing_stays_bound_afterwards(answer):
    answer(FACTORY.get("/"))
    assert structlog.contextvars.get_contextvars() == {}


def test_the_access_line(answer, lines):
    http_request = FACTORY.post("/api/workflows?token=canary")
    http_request.wanted_status = 201
    answer(http_request)
    (line,) = lines()
    assert (line.method, line.path, line.status) == ("POST", "/api/workflows", 201)
    assert line.seconds >= 0
    assert line.user_id is None
    assert "canary" not in line.getMessage() + str(line.__dict__)


def test_a_broken_request_is_an_error_line(answer, lines):
    http_request = FACTORY.get("/")
    http_request.wanted_status = 500
    answer(http_request)
    assert [line.levelno for line in lines()] == [logging.ERROR]


@pytest.mark.parametrize("path", ["/api/health", "/api/health/live", "/static/css/app.css"])
def test_probes_and_files_are_logged_only_when_refused(answer, lines, path):
    answer(FACTORY.get(path))
    assert not lines()
    refused = FACTORY.get(path)
    refused.wanted_status = 404
    answer(refused)
    assert len(lines()) == 1


def test_an_anonymous_visitor_has_no_id(answer, lines):
    http_request = FACTORY.get("/")
    http_request.user = AnonymousUser()
    answer(http_request)
    assert lines()[0].user_id is None


@pytest.mark.django_db
def test_the_user_of_a_request_is_named(api, alice, lines):
    assert api(alice).get("/api/auth/me")[HEADER]
    assert [line.user_id for line in lines()] == [str(alice.pk)]


@pytest.mark.django_db
def test_the_signed_in_visitor_of_a_page_is_named(client, alice, lines):
    client.force_login(alice)
    client.get("/workflows")
    assert [line.user_id for line in lines()] == [str(alice.pk)]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("/dashboard", "private, no-cache"),
        ("/nowhere", "private, no-cache"),
        ("/api/auth/me", "private, no-store"),
        ("/api/health", "no-store"),
    ],
)
def test_answers_are_for_whoever_asked(client, alice, url, said):
    client.force_login(alice)

    assert client.get(url)["Cache-Control"] == said
