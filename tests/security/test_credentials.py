"""How a request may say who sends it, on every route. security.md 13"""

import json

import pytest

from tests.security.routes import SAFE, rules
from tests.security.world import undone

pytestmark = pytest.mark.once
UNSAFE_PAGES = [rule for rule in rules("pages") if rule.method not in SAFE]
# They look at where they come from instead: security.md 26.
BEACONS = {("POST", "/api/telemetry"), ("POST", "/api/errors")}
UNSAFE_API = [rule for rule in rules("api") if rule.method not in SAFE]


def test_no_page_takes_a_form_without_a_csrf_token(world):
    """security.md 13: another site's form is refused on every page, also at sign-in."""
    passed = []
    for rule in UNSAFE_PAGES:
        for role in ("anonymous", "admin"):
            client = world.client(role, enforce_csrf_checks=True)
            answer = undone(client, rule.method, world.url(rule), world.body(rule, role))
            if answer.status_code != 403 or b"no longer valid" not in answer.content:
                passed.append(f"{rule.method} {rule.path} {role}: {answer.status_code}")
    assert not passed, "\n".join(passed)


def test_no_form_of_the_django_admin_either(world):
    """security.md 13"""
    client = world.client("admin", enforce_csrf_checks=True)
    for path in ("/admin/accounts/user/add/", "/admin/logout/"):
        assert undone(client, "POST", path, {}).status_code == 403


def test_the_api_takes_no_cookie_without_a_csrf_token(world):
    """security.md 13: on every operation that wants to know who asks."""
    passed = []
    for rule in UNSAFE_API:
        if rule.scope == "none" or (rule.method, rule.path) in BEACONS:
            continue
        client = world.client("admin", enforce_csrf_checks=True)
        body = json.dumps(world.body(rule, "admin"))
        answer = undone(client, rule.method, world.url(rule), body)
        if answer.status_code != 403 or answer.json()["code"] != "csrf_failed":
            passed.append(f"{rule.method} {rule.path}: {answer.status_code}")
    assert not passed, "\n".join(passed)


def test_a_bearer_token_needs_no_csrf_token(world):
    """security.md 13"""
    client = world.client("anonymous", enforce_csrf_checks=True)
    for rule in UNSAFE_API:
        if rule.scope not in {"none", "session"}:
            headers = {"Authorization": f"Bearer {world.tokens['owner']}"}
            body = json.dumps(world.body(rule, "owner"))
            answer = undone(client, rule.method, world.url(rule), body, headers)
            assert str(answer.status_code) == rule.statuses["owner"], rule


@pytest.mark.parametrize("name", ["token", "access_token", "bearer", "Authorization"])
def test_a_bearer_token_elsewhere_is_ignored(world, name):
    """security.md 13: not from the query, not from a cookie, not from the body."""
    token = world.tokens["admin"]
    taken = []
    for rule in rules("api"):
        if rule.statuses["anonymous"] != "401":
            continue
        client = world.client("anonymous")
        client.cookies[name] = token
        url = f"{world.url(rule)}?{name}={token}"
        body = json.dumps({**world.body(rule, "admin"), name: token})
        if undone(client, rule.method, url, body).status_code != 401:
            taken.append(f"{rule.method} {rule.path}")
    assert not taken, "\n".join(taken)


def test_a_session_cookie_is_no_bearer_token(world):
    """security.md 13: nor is anything else that is not a token."""
    cookie = world.cookies["admin"]["sessionid"]
    for text in (f"Bearer {cookie}", "Bearer", "Bearer null", f"Basic {world.tokens['admin']}"):
        answer = undone(
            world.client("anonymous"), "GET", "/api/auth/me", None, {"Authorization": text}
        )
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == "Bearer"
