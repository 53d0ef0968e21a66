"""security.md 11: what the rate limits say, whom they count, and what they refuse."""

import uuid

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from hummbl import counters
from tests.factories import PASSWORD, make_workflow
from tests.workflows.pages.forms import form_data

pytestmark = pytest.mark.once

HEADERS = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
METHODS = ["get", "head", "options", "post", "put", "patch", "delete", "trace"]
UNLIMITED = {"api/health", "api/health/live", "api/health/ready"}
ROOMY = dict.fromkeys(("API", "EXECUTE", "AUTH", "PAGES", "TELEMETRY"), "9999/m")
VALUES = {"uuid": str(uuid.UUID(int=7)), "int": "1", "slug": "word", "str": "word", "path": "a/b"}


def routes(patterns=None, prefix=""):
    """The address of every route below `api`, with made-up values."""
    for entry in patterns or get_resolver().url_patterns:
        pattern = prefix + str(entry.pattern)
        if not isinstance(entry, URLPattern):
            yield from routes(entry.url_patterns, pattern)
        elif pattern.split("/")[0] == "api":
            for kind, value in VALUES.items():
                for name in entry.pattern.converters:
                    pattern = pattern.replace(f"<{kind}:{name}>", value)
            yield pattern


def missing(answer):
    return HEADERS - set(answer.headers)


@pytest.fixture(params=["nobody", "alice", "adam"])
def someone(request, api):
    """A client of the API."""
    name = request.param
    return api(request.getfixturevalue(name)) if name != "nobody" else api()


def test_every_route_of_the_api_says_where_the_client_stands(someone, limits, db):
    """security.md 11: whatever the method, and whatever the answer."""
    limits(**ROOMY)
    silent = []
    for path in sorted(set(routes()) - UNLIMITED):
        for method in METHODS:
            answer = getattr(someone, method)(f"/{path}", {} if method in {"post", "put"} else None)
            assert answer.status_code < 500, path
            if missing(answer) or answer["X-RateLimit-Limit"] != "9999":
                silent.append(f"{method} {path}: {answer.status_code}")
            if answer.status_code == 204 and path == "api/auth/logout":
                someone.credentials()
    assert silent == []


@pytest.mark.parametrize(
    ("expected", "method", "path", "body", "extra"),
    [
        (200, "get", "/api/auth/me", None, {}),
        (200, "get", "/api/schema", None, {}),
        (200, "get", "/api/docs", None, {}),
        (400, "post", "/api/workflows", b"{", {}),
        (400, "post", "/api/workflows", b'{"nonsense": 1}', {}),
        (401, "get", "/api/auth/me", None, {"HTTP_AUTHORIZATION": "Bearer nonsense"}),
        (403, "get", "/api/admin/workflows", None, {}),
        (404, "get", f"/api/workflows/{VALUES['uuid']}", None, {}),
        (404, "get", "/api/nothing/at/all", None, {}),
        (404, "get", "/api", None, {}),
        (404, "get", "/api/", None, {}),
        (404, "get", "/api/workflows/", None, {}),
        (405, "delete", "/api/workflows", None, {}),
        (413, "post", "/api/workflows", b" " * (1024 * 1024 + 1), {}),
        (415, "post", "/api/workflows", b"a=1", {"content_type": "text/plain"}),
        (415, "post", "/api/workflows", b"{}", {"HTTP_CONTENT_ENCODING": "gzip"}),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, int | str) else "",
)
def test_every_kind_of_answer_says_so(api, alice, limits, expected, method, path, body, extra):
    limits(**ROOMY)
    kind = {"content_type": "application/json"} if body is not None else {}

    client = api() if expected == 401 else api(alice)
    answer = client.generic(method.upper(), path, body or b"", **{**kind, **extra})

    assert answer.status_code == expected
    assert not missing(answer)


def test_a_run_and_its_stream_say_so(api, alice, limits):
    limits(**ROOMY)
    client, workflow = api(alice), make_workflow(alice)

    started = client.post(f"/api/workflows/{workflow.pk}/execute", {"input": {}})
    stream = client.get(f"/api/executions/{started.json()['id']}/stream")

    assert (started.status_code, stream.status_code) == (202, 200)
    assert stream["Content-Type"].startswith("text/event-stream")
    assert not missing(started)
    assert not missing(stream)


def test_without_limits_nothing_is_counted_and_nothing_said(api, alice, limits):
    answer = api(alice).get("/api/auth/me")

    assert missing(answer) == HEADERS
    assert counters.size() == 0


def test_a_refused_csrf_token_counts_and_says_so(alice, limits):
    limits(**ROOMY)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)

    answer = browser.post("/api/workflows", {}, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
    assert not missing(answer)


WRONG = {"email": "alice@example.com", "password": "wrong password"}


@pytest.mark.parametrize(
    "email",
    ["ALICE@EXAMPLE.COM", "  alice@example.com ", "Alice@Example.com", "alıce@example.com"],
    ids=["capitals", "spaces", "mixed", "dotless"],
)
def test_an_account_is_one_however_it_is_spelled(api, alice, limits, email):
    """PostgreSQL takes the dotless i for an I: it must not have an allowance of its own."""
    limits(AUTH="2/m")
    client = api()
    for _ in range(2):
        client.post("/api/auth/login", WRONG)

    assert client.post("/api/auth/login", {**WRONG, "email": email}).status_code == 429


def test_addresses_without_an_account_are_counted_alike(api, alice, limits):
    """security.md 7: the limit tells nobody which accounts there are."""
    limits(AUTH="2/m")
    answers = {
        email: [api().post("/api/auth/login", {**WRONG, "email": email}) for _ in range(3)]
        for email in ("alice@example.com", "nobody@example.com")
    }

    known, unknown = answers.values()
    assert [answer.status_code for answer in known] == [401, 401, 429]
    for one, other in zip(known, unknown, strict=True):
        assert one.status_code == other.status_code
        assert one["X-RateLimit-Remaining"] == other["X-RateLimit-Remaining"]


def test_success_counts_like_failure(api, alice, limits):
    limits(AUTH="2/m")
    right = {**WRONG, "password": PASSWORD}

    statuses = [api().post("/api/auth/login", right).status_code for _ in range(3)]

    assert statuses == [200, 200, 429]


def test_one_address_alone_locks_nobody_out(api, alice, limits):
    limits(AUTH="2/m")
    for _ in range(30):
        api().post("/api/auth/login", WRONG, REMOTE_ADDR="192.0.2.1")

    answer = api().post("/api/auth/login", {**WRONG, "password": PASSWORD}, REMOTE_ADDR="192.0.2.2")

    assert answer.status_code == 200


def test_a_run_is_counted_wherever_it_is_started(api, alice, client, limits):
    """By API, on its page, on the dashboard, and as a test of one task: one allowance."""
    workflow, page = make_workflow(alice), client
    page.force_login(alice)
    fresh = page.get(f"/workflows/{workflow.pk}/run").context["form"]
    typed = {bound.html_name: bound.value() for bound in fresh if bound.value() is not None}
    limits(EXECUTE="4/m")

    answers = [
        api(alice).post(f"/api/workflows/{workflow.pk}/execute", {"input": {}}),
        page.post(f"/workflows/{workflow.pk}/run", typed),
        page.post("/dashboard"),
        page.post(f"/workflows/{workflow.pk}/test", {**form_data(), "task": "gather"}),
    ]
    refused = [
        api(alice).post(f"/api/workflows/{workflow.pk}/execute", {"input": {}}),
        page.post(f"/workflows/{workflow.pk}/run", typed),
        page.post("/dashboard"),
        page.post(f"/workflows/{workflow.pk}/test", {**form_data(), "task": "gather"}),
    ]

    assert [answer.status_code for answer in answers] == [202, 302, 302, 200]
    assert [answer.status_code for answer in refused] == [429] * 4
    assert all(1 <= int(answer["Retry-After"]) <= 60 for answer in refused)
    assert b"Too many requests. Try again in" in refused[1].content
    assert refused[1].context["form"]["idempotency_key"].value()


def test_sessions_share_the_allowance_of_their_user(api, alice, limits):
    limits(API="2/m")
    browser = Client()
    browser.force_login(alice)

    statuses = [
        client.get("/api/auth/me").status_code for client in (api(alice), api(alice), browser)
    ]

    assert statuses == [200, 200, 429]


def test_the_page_of_a_refusal_says_when_to_come_back(client, alice, limits):
    limits(PAGES="1/m")
    client.force_login(alice)
    client.get("/profile?tab=2")

    page = client.get("/profile?tab=2")

    wait = int(page["Retry-After"])
    assert page.status_code == 429
    assert f"<span data-countdown>{wait}</span>".encode() in page.content
    assert b'href="/profile?tab=2"' in page.content


def test_a_fragment_that_is_refused_is_told_in_a_line(client, alice, limits):
    """A script shows it as a toast; without the header it could not say when to come back."""
    limits(PAGES="1/m")
    client.force_login(alice)
    client.get("/dashboard")

    answer = client.get("/dashboard", headers={"HX-Request": "true"})

    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert answer["Content-Type"].startswith("text/plain")
    assert answer.content.startswith(b"Too many requests. Try again in")
