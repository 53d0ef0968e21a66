"""The error envelope of the API."""

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404
from django.test import Client, RequestFactory
from rest_framework import exceptions
from rest_framework.views import APIView

from hummbl.api import errors
from hummbl.errors import AppError


def answer_to(exc):
    """How a view that raises it answers."""

    class View(APIView):
        authentication_classes = []
        permission_classes = []

        def get(self, request):
            raise exc

    return View.as_view()(RequestFactory().get("/api/x"))


def test_an_app_error_says_what_it_carries():
    error = AppError("Too late.", code="late", status=409, details={"by": 3}, headers={"X-A": "b"})

    answer = answer_to(error)

    assert answer.status_code == 409
    assert answer.data == {"error": "Too late.", "code": "late", "details": {"by": 3}}
    assert answer["X-A"] == "b"


@pytest.mark.parametrize(
    ("exc", "status", "code"),
    [
        (Http404("No Secret matches."), 404, "not_found"),
        (exceptions.NotFound(), 404, "not_found"),
        (PermissionDenied("internal"), 403, "forbidden"),
        (exceptions.PermissionDenied("No.", code="viewer"), 403, "viewer"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.UnsupportedMediaType("text/csv"), 415, "unsupported_media_type"),
        (exceptions.ParseError(), 400, "parse_error"),
        (RequestDataTooBig(), 413, "too_large"),
        (exceptions.Throttled(wait=7), 429, "throttled"),
    ],
)
def test_what_frameworks_raise(exc, status, code):
    answer = answer_to(exc)

    assert answer.status_code == status
    assert set(answer.data) == {"error", "code", "details"}
    assert answer.data["code"] == code
    assert "Secret" not in answer.data["error"]
    assert "internal" not in answer.data["error"]
    assert answer.get("Retry-After") == ("7" if status == 429 else None)


def test_validation_errors_have_paths():
    detail = {
        "name": ["Too long.", "Too odd."],
        "tasks": [{}, {"dependencies": {0: ["No such task."]}}],
        "non_field_errors": ["Nothing fits."],
    }

    answer = answer_to(exceptions.ValidationError(detail))

    assert answer.status_code == 400
    assert answer.data["error"] == "name: Too long."
    assert answer.data["details"]["errors"] == [
        {"path": "name", "code": "invalid", "message": "Too long."},
        {"path": "name", "code": "invalid", "message": "Too odd."},
        {"path": "tasks[1].dependencies[0]", "code": "invalid", "message": "No such task."},
        {"path": "", "code": "invalid", "message": "Nothing fits."},
    ]


def test_validation_errors_of_models_look_the_same():
    by_field = answer_to(DjangoValidationError({"name": ["Taken."]}))
    whole = answer_to(DjangoValidationError("Odd."))

    assert by_field.data["details"]["errors"][0]["path"] == "name"
    assert whole.data["error"] == "Odd."


def test_what_nobody_foresaw_is_a_500_in_json_with_the_request_id(caplog, monkeypatch, db):
    def broken(*_args, **_kwargs):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("hummbl.api.views.UnknownRouteView.initial", broken)
    client = Client(raise_request_exception=False)

    answer = client.get("/api/broken", headers={"X-Request-ID": "request-12345"})

    assert answer.status_code == 500
    assert answer["Content-Type"] == "application/json"
    body = answer.json()
    assert body["code"] == "server_error"
    assert body["details"] == {"request_id": "request-12345"}
    assert "secret detail" not in answer.content.decode()
    assert "secret detail" in caplog.text


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
@pytest.mark.parametrize(
    "path", ["/api/nothing", "/api", "/api/", "/api/auth/me/", "/api/auth/sessions/1"]
)
def test_unknown_addresses_are_a_404_in_json(api, db, method, path):
    answer = getattr(api(), method)(path)

    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("path", ["/api/workflows", "/api/keys", "/api/auth/password"])
def test_options_names_the_methods(api, alice, path):
    answer = api(alice).options(path)

    assert answer.status_code == 200
    assert "POST" in answer.json()["methods"]
    assert answer["Allow"] == ", ".join(answer.json()["methods"])


def test_any_accept_gets_json(api, db):
    answer = api().get("/api/auth/me", headers={"Accept": "text/html"})

    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/json"


def test_an_error_outside_rest_framework():
    request = RequestFactory().get("/api/x")
    answer = errors.json_error(request, 404, headers={"X-A": "b"})
    refused = errors.app_error(request, AppError("No.", code="no", status=409))

    assert (answer.status_code, answer["X-A"]) == (404, "b")
    assert b'"code":"not_found"' in answer.content
    assert refused.content == b'{"error":"No.","code":"no","details":{}}'


@pytest.mark.filterwarnings("default")
def test_the_schema_documents_every_refusal(api, db):
    answer = api().get("/api/schema?format=json")

    schema = answer.json()
    assert set(schema["components"]["schemas"]["Error"]["required"]) == {"error", "code", "details"}
    assert set(schema["components"]["securitySchemes"]) == {"bearer", "cookie"}
    me = schema["paths"]["/api/auth/me"]
    assert {"200", "401", "429"} <= set(me["get"]["responses"])
    assert {"400", "403", "413", "415"} <= set(me["patch"]["responses"])
    assert schema["paths"]["/api/auth/login"]["post"].get("security", []) in ([], [{}])
    assert "401" in schema["paths"]["/api/auth/login"]["post"]["responses"]
    assert {"403", "409"} <= set(schema["paths"]["/api/auth/register"]["post"]["responses"])
    assert "400" in schema["paths"]["/api/executions/{id}/stream"]["get"]["responses"]
