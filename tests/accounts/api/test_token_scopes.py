"""Which scope each operation of the API wants: found from the URLs, and tried with every token."""

import re
from itertools import combinations
from types import SimpleNamespace
from uuid import UUID

import pytest
from django.urls import URLPattern, get_resolver
from rest_framework.views import APIView

from accounts.api.authentication import BearerAuthentication
from accounts.api.scopes import SESSION_ONLY, needed, needs_scope, session_only
from accounts.models import AccessToken, Scope
from hummbl.api.permissions import IsAdmin
from tests.factories import make_token

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# What takes no credentials at all.
OPEN = "anybody"
ANY = UUID(int=7)
VALUES = {"uuid": str(ANY), "int": "1", "slug": "research-and-report", "path": "x", "str": "x"}


def routes(patterns=None, prefix=""):
    """Method, address and callback of every operation below /api/."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(entry.pattern)
        if not isinstance(entry, URLPattern):
            yield from routes(entry.url_patterns, path)
        elif path.startswith("api/") and entry.name != "api_unknown":
            yield from ((method, f"/{path}", entry.callback) for method in handled(entry.callback))


def handled(callback):
    """The methods that the callback answers."""
    view = view_of(callback)
    actions = getattr(callback, "actions", None)
    return [
        method
        for method in METHODS
        if (method.lower() in actions if actions is not None else hasattr(view, method.lower()))
    ]


def view_of(callback, method="GET"):
    """A view as it is when it answers; a route that is none fails here."""
    view = callback.cls(**callback.initkwargs)
    assert isinstance(view, APIView)
    view.request = SimpleNamespace(method=method)
    view.action_map = getattr(callback, "actions", None)
    return view


def scope_of(method, callback):
    """The scopes of an operation in one word."""
    view = view_of(callback, method)
    return " ".join(needed(view, method)) if view.authentication_classes else OPEN


# An operation that is not here reads if its method is safe. Whatever changes something has its
# line, so that whoever adds it has thought about which tokens may.
EXPECTED = {
    "POST /api/auth/login": OPEN,
    "POST /api/auth/logout": SESSION_ONLY,
    "PATCH /api/auth/me": "write",
    "POST /api/auth/password": SESSION_ONLY,
    "POST /api/auth/reauthenticate": SESSION_ONLY,
    "POST /api/auth/register": OPEN,
    "POST /api/auth/reset": OPEN,
    "POST /api/auth/reset/confirm": OPEN,
    "GET /api/auth/sessions": SESSION_ONLY,
    "DELETE /api/auth/sessions": SESSION_ONLY,
    "DELETE /api/auth/sessions/<uuid:pk>": SESSION_ONLY,
    "GET /api/auth/tokens": SESSION_ONLY,
    "POST /api/auth/tokens": SESSION_ONLY,
    "DELETE /api/auth/tokens/<uuid:pk>": SESSION_ONLY,
    "POST /api/auth/verify": OPEN,
    "POST /api/auth/verify/send": SESSION_ONLY,
    "GET /api/admin/audit": "read admin",
    "GET /api/admin/audit.csv": "read admin",
    "GET /api/admin/executions": "read admin",
    "GET /api/admin/stats": "read admin",
    "GET /api/admin/storage": "read admin",
    "GET /api/admin/users": "read admin",
    "GET /api/admin/users/<uuid:pk>": "read admin",
    "PATCH /api/admin/users/<uuid:pk>": SESSION_ONLY,
    "DELETE /api/admin/users/<uuid:pk>/sessions": SESSION_ONLY,
    "GET /api/admin/workflows": "read admin",
    "POST /api/executions/<uuid:pk>/cancel": "run",
    "GET /api/health": OPEN,
    "GET /api/health/live": OPEN,
    "GET /api/health/ready": OPEN,
    "GET /api/alerts": "read admin",
    "GET /api/alerts/<uuid:pk>": "read admin",
    "GET /api/alert-rules": "read admin",
    "POST /api/alert-rules": "write admin",
    "GET /api/alert-rules/<uuid:pk>": "read admin",
    "PATCH /api/alert-rules/<uuid:pk>": "write admin",
    "DELETE /api/alert-rules/<uuid:pk>": "write admin",
    "GET /api/alert-silences": "read admin",
    "POST /api/alert-silences": "write admin",
    "DELETE /api/alert-silences/<uuid:pk>": "write admin",
    "GET /api/channels": "read admin",
    "POST /api/channels": "write admin",
    "GET /api/channels/<uuid:pk>": "read admin",
    "PATCH /api/channels/<uuid:pk>": "write admin",
    "DELETE /api/channels/<uuid:pk>": "write admin",
    "POST /api/channels/<uuid:pk>/test": "write admin",
    "POST /api/keys": SESSION_ONLY,
    "PATCH /api/keys/<uuid:pk>": SESSION_ONLY,
    "DELETE /api/keys/<uuid:pk>": SESSION_ONLY,
    "POST /api/keys/<uuid:pk>/test": "run",
    "GET /api/metrics": "read admin",
    "GET /api/metrics/names": "read admin",
    "GET /api/errors": "read admin",
    "POST /api/errors": "write",
    "GET /api/errors/<uuid:pk>": "read admin",
    "POST /api/errors/<uuid:pk>/resolve": "write admin",
    "POST /api/errors/<uuid:pk>/ignore": "write admin",
    "POST /api/errors/<uuid:pk>/reopen": "write admin",
    "POST /api/telemetry": "write",
    "POST /api/templates/<slug:slug>/use": "write",
    "POST /api/workflows": "write",
    "PUT /api/workflows/<uuid:pk>": "write",
    "PATCH /api/workflows/<uuid:pk>": "write",
    "DELETE /api/workflows/<uuid:pk>": "write",
    "POST /api/workflows/<uuid:pk>/copy": "write",
    "POST /api/workflows/<uuid:pk>/execute": "run",
    "POST /api/workflows/<uuid:pk>/versions/<int:number>/restore": "write",
    "POST /api/workflows/import": "write",
    "GET /api/workflows/schema": OPEN,
    "POST /api/workflows/validate": "read",
}
ROUTES = sorted({(path, method): callback for method, path, callback in routes()}.items(), key=str)
IDS = [f"{method} {path}" for (path, method), _ in ROUTES]


@pytest.mark.once
def test_every_operation_wants_what_it_should():
    """security.md 2: a new operation that changes something fails this until it is listed."""
    found = {f"{method} {path}": scope_of(method, cb) for (path, method), cb in ROUTES}
    for name, scopes in found.items():
        print(f"{scopes:12} {name}")

    reads = {name: "read" for name in found if name.startswith("GET ")}

    assert found == {**reads, **EXPECTED}


BEHIND_ADMIN = (
    "/api/admin/",
    "/api/metrics",
    "/api/alerts",
    "/api/alert-rules",
    "/api/alert-silences",
    "/api/channels",
    "/api/errors",
)
REPORTS = ("/api/errors", "POST")  # for everybody


@pytest.mark.once
def test_the_addresses_of_administrators_want_the_scope_admin():
    for (path, method), callback in ROUTES:
        scopes = scope_of(method, callback)
        behind_admin = any(
            isinstance(each, IsAdmin) for each in view_of(callback, method).get_permissions()
        )
        expected = path.startswith(BEHIND_ADMIN) and (path, method) != REPORTS
        assert behind_admin == expected, path
        assert ("admin" in scopes or scopes == SESSION_ONLY) >= behind_admin, path


@pytest.mark.once
def test_every_view_takes_bearer_tokens_as_all_others_do_or_none():
    """The scopes are asked for where tokens are read: nothing else may read them."""
    for (path, _), callback in ROUTES:
        for authenticator in view_of(callback).get_authenticators():
            reads_header = "Bearer" in (authenticator.authenticate_header(None) or "")
            assert not reads_header or isinstance(authenticator, BearerAuthentication), path


@pytest.mark.once
def test_how_a_view_says_it():
    class View(APIView):
        @needs_scope(Scope.RUN)
        def post(self, request): ...

        @session_only
        def delete(self, request): ...

        def get(self, request): ...

    class AdminView(View):
        permission_classes = [IsAdmin]

    cases = {"GET": ["read"], "HEAD": ["read"], "OPTIONS": ["read"], "POST": ["run"]}
    for method, scopes in cases.items():
        assert needed(View(), method) == scopes
        assert needed(AdminView(), method) == [*scopes, "admin"]
    assert needed(View(), "PUT") == ["write"]
    assert needed(View(), "DELETE") == needed(AdminView(), "DELETE") == [SESSION_ONLY]


def address(path):
    return re.sub(r"<(\w+):\w+>", lambda found: VALUES[found[1]], path)


def call(client, method, path):
    return client.generic(method, address(path), "{}", content_type="application/json")


@pytest.fixture
def tokens(adam, bearer):
    """A client for one scope alone and for all but one; of an admin, whom no role holds back."""
    sets = [*combinations(Scope.values, 1), *combinations(Scope.values, 3), tuple(Scope.values)]
    return {chosen: bearer(make_token(adam, *chosen)[1]) for chosen in sets}


@pytest.mark.parametrize(("route", "callback"), ROUTES, ids=IDS)
def test_every_operation_with_tokens_of_all_kinds(tokens, route, callback):
    """security.md 2: the scope matrix. Nothing gets in that lacks a scope, nor is kept out."""
    path, method = route
    wanted = scope_of(method, callback)

    for chosen, client in tokens.items():
        answer = call(client, method, path)
        # The schema's errors are YAML.
        body = getattr(answer, "data", None) if answer.status_code == 403 else None
        code = body["code"] if body else ""
        assert answer.status_code not in {401, 500} or wanted == OPEN, chosen
        if wanted == SESSION_ONLY:
            assert code == "token_not_allowed", chosen
        elif wanted == OPEN or set(wanted.split()) <= set(chosen):
            assert code not in {"insufficient_scope", "token_not_allowed"}, chosen
        else:
            missing = [scope for scope in wanted.split() if scope not in chosen]
            assert code == "insufficient_scope", chosen
            assert body["details"] == {"missing": missing}
            assert missing[0] in body["error"]
            assert answer["WWW-Authenticate"] == (
                f'Bearer error="insufficient_scope", scope="{" ".join(missing)}"'
            )


def test_a_refusal_is_logged(adam, bearer, caplog):
    """security.md 5: refused authorisations are logged, without the secret."""
    token, secret = make_token(adam)

    bearer(secret).delete(f"/api/workflows/{ANY}")
    bearer(secret).post("/api/auth/logout")

    first, second = [record.getMessage() for record in caplog.records if "refused" in record.msg]
    assert f"{token.pk} of user {adam.pk}" in first
    assert first.endswith(f"DELETE /api/workflows/{ANY} needs write")
    assert second.endswith("POST /api/auth/logout needs session")
    assert secret not in caplog.text
    assert AccessToken.objects.get().last_used_at is not None


def test_the_schema_says_it(api, alice):
    document = api(alice).get("/api/schema?format=json").json()

    def description(path, method):
        return document["paths"][path][method]["description"]

    execute = description("/api/workflows/{id}/execute", "post")
    assert execute.endswith("Access tokens need the scope `run`.")
    stats = description("/api/admin/stats", "get")
    assert stats.endswith("Access tokens need the scopes `read` and `admin`.")
    assert description("/api/auth/logout", "post").endswith("Not for access tokens.")
    assert "token" not in description("/api/health", "get")
    assert "hummbl_" in document["components"]["securitySchemes"]["bearer"]["description"]
    assert document["paths"]["/api/auth/tokens"]["get"]["security"] == [
        {"bearer": []},
        {"cookie": []},
    ]
