"""Every route, every method, every role. What is expected is in the tables of `routes.py`.

security.md 1, 2
"""

import pytest

from accounts.models import Scope
from tests.security.routes import CATCH_ALL, METHODS, ROLES, WHERE, kind_of, routes, rules
from tests.security.world import make_token, undone

pytestmark = pytest.mark.once
KINDS = ("pages", "api", "admin")


class Comparison:
    """Gathers what differs from the tables; at the end of its block it fails with all of it."""

    def __init__(self):
        self.differences, self.requests = [], 0

    def __enter__(self):
        return self

    def __exit__(self, failed, *_rest):
        if failed:
            return
        print(f"\n{self.requests} requests")
        report = "\n".join(["", *self.differences, f"{len(self.differences)} differ from {WHERE}"])
        assert not self.differences, report

    def __call__(self, rule, role, wanted, got, *, method="", note=""):
        self.requests += 1
        if wanted != got:
            line = f"{method or rule.method:7} {rule.path:50} {role:10} {note:8}"
            self.differences.append(f"{line} {wanted} expected, got {got}")


def test_every_route_has_an_entry():
    """security.md 2: a route without an entry fails here, and so does an entry without a route."""
    known = {rule.path for kind in KINDS for rule in rules(kind)} | set(CATCH_ALL)
    found = set(routes())
    missing = [
        f"{path} has no line. Add one for each of its methods to the table of the "
        f"{kind_of(path)} in {WHERE}, and what it takes to tests/security/world.py."
        for path in sorted(found - known)
    ]
    gone = [f"{path} is in {WHERE}, but there is no such route." for path in sorted(known - found)]
    lines = [rule for kind in KINDS for rule in rules(kind)]
    print(f"\n{len(found)} routes, {len(lines)} lines of route and method, {len(ROLES)} roles:")
    print(f"{sum(len(ROLES) * len(_variants(rule)) for rule in lines)} expectations")
    assert not missing + gone, "\n".join(["", *missing, *gone])


def _variants(rule):
    return (False, True) if rule.has_variants else (False,)


def _met(response, kind):
    """What somebody got, in the words of the tables."""
    status, target = str(response.status_code), response.get("Location", "")
    if status == "302" and target.startswith("/signin?next="):
        return "in"
    if status == "302" and target.startswith("/admin/login/?next="):
        return "admin"
    if kind != "api" or response.status_code < 400:
        return status
    if status == "401" and not response.get("WWW-Authenticate", "").startswith("Bearer"):
        return "401 without WWW-Authenticate"
    if not response["Content-Type"].startswith("application/json"):
        return f"{status} as {response['Content-Type']}"
    if set(response.json()) != {"error", "code", "details"}:
        return f"{status} without our envelope"
    return status


@pytest.mark.parametrize("kind", KINDS)
def test_what_each_role_gets(world, kind):
    """security.md 1: another's object is 404, a reader who writes 403, a stranger signs in."""
    with Comparison() as compare:
        for rule in rules(kind):
            for role in ROLES:
                for shared in _variants(rule):
                    wanted = rule.expected(role, shared=shared)
                    got = _met(world.ask(rule, role, shared=shared), kind)
                    compare(rule, role, wanted, got, note="shared" if shared else "")


@pytest.mark.parametrize("kind", ["pages", "api"])
def test_head_is_no_way_around(world, kind):
    """security.md 1: who may not GET may not HEAD either."""
    with Comparison() as compare:
        for rule in rules(kind):
            for role in ROLES if rule.method == "GET" else ():
                wanted = rule.expected(role, shared=False)
                if not wanted.startswith("2"):
                    status = {"in": "302"}.get(wanted, wanted)
                    got = str(world.ask(rule, role, method="HEAD").status_code)
                    compare(rule, role, status, got, method="HEAD")


@pytest.mark.parametrize("kind", ["pages", "api"])
def test_methods_without_a_line_are_refused(world, kind):
    """security.md 2: a method that a route answers has an entry too."""
    with Comparison() as compare:
        answered = {(rule.path, rule.method) for rule in rules(kind)}
        one_of_each = {rule.path: rule for rule in rules(kind)}
        for path, rule in one_of_each.items():
            for method in METHODS:
                if (path, method) not in answered:
                    body = {} if kind == "api" else None
                    got = _met(world.ask(rule, "admin", method=method, body=body), kind)
                    compare(rule, "admin", "405", got, method=method)


def test_no_method_of_the_admin_is_open(world):
    """security.md 2, 28: whatever the method, the Django admin is for admins alone."""
    with Comparison() as compare:
        for rule in rules("admin"):
            if rule.method == "GET" and rule.statuses["other"] == "admin":
                for method in METHODS[1:]:
                    got = _met(world.ask(rule, "other", method=method), "admin")
                    compare(rule, "other", "admin", got, method=method)


@pytest.mark.parametrize("path", sorted(CATCH_ALL))
def test_what_there_is_no_route_for(world, path):
    """security.md 2: an address that nobody thought of is 404 with every method, for admins too."""
    url = path.replace("{rest}", "nothing/here").replace("{url}", "nothing")
    client = world.client("admin")
    for method in METHODS:
        assert undone(client, method, url).status_code == CATCH_ALL[path], method


def test_a_fragment_never_holds_the_sign_in_page(world):
    """security.md 1: htmx is told to go elsewhere; a 302 would put the page inside another."""
    with Comparison() as compare:
        for rule in rules("pages"):
            if rule.statuses["anonymous"] == "in":
                response = undone(
                    world.client("anonymous"),
                    rule.method,
                    world.url(rule),
                    None,
                    {"HX-Request": "true"},
                )
                told = "HX-Refresh" in response or "HX-Redirect" in response
                ok = told and response.status_code == 200 and not response.content
                compare(rule, "anonymous", "told", "told" if ok else response.status_code)


def test_what_an_access_token_may_call(world):
    """security.md 1, 2: the one scope of the table is needed, and is enough."""
    with Comparison() as compare:
        secrets = {}
        for role in ("owner", "admin"):
            user = world.people[role]
            for scope in ("read", "run", "write"):
                others = {"read", "run", "write"} - {scope}
                secrets[role, scope, True] = make_token(user, scope, "admin")[1]
                secrets[role, scope, False] = make_token(user, *sorted(others), "admin")[1]
            secrets[role, "session", False] = make_token(user, *Scope.values)[1]
            secrets[role, "admin", False] = make_token(user, "read", "run", "write")[1]
        for rule in rules("api"):
            if rule.scope == "none":
                continue
            behind_admin = rule.statuses["owner"] == "403"
            role = "admin" if behind_admin else "owner"

            def code(granted, scope=rule.scope, role=role, rule=rule):
                response = world.ask(rule, role, token=secrets[role, scope, granted])
                return (
                    response.json()["code"] if response.status_code == 403 else response.status_code
                )

            if rule.scope == "session":
                compare(rule, role, "token_not_allowed", code(False), note="token")
                continue
            compare(rule, role, rule.statuses[role], str(code(True)), note="token")
            compare(rule, role, "insufficient_scope", code(False), note="token")
            if behind_admin:
                compare(rule, role, "insufficient_scope", code(False, "admin"), note="token")
