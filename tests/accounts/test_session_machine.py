"""The life of sessions and access tokens: each works exactly as long as it may."""

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any

import orjson
import pytest
from django.conf import settings as django_settings
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from rest_framework.test import APIClient

from accounts import flows, users
from accounts.models import AccessToken, Scope, Session
from accounts.tokens import scopes_for
from tests.clock import Clock
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.slow

HOUR = 3600
IDLE, TTL, RECENT = HOUR, 4 * HOUR, 15 * 60
NOTED = 60  # seconds: the use of a session is written down that often
MOST = 4
UNKNOWN = "/api/workflows/01890000-0000-7000-8000-000000000000/execute"
# The scopes that a token needs for it, none where no token will do; and what is asked.
QUESTIONS = [
    ({"read"}, "GET", "/api/auth/me"),
    ({"run"}, "POST", UNKNOWN, {"input": {}}),
    ({"write"}, "PATCH", "/api/auth/me", {}),
    ({"read", "admin"}, "GET", "/api/admin/users"),
    (set(), "POST", "/api/auth/reauthenticate", {"password": PASSWORD}),
]
COOKIE = django_settings.SESSION_COOKIE_NAME


@dataclass
class Held:
    """What a browser or a program holds, and what should be true of it."""

    secret: str
    pk: Any
    ends: datetime
    used: datetime
    given: datetime
    is_browser: bool = False
    scopes: frozenset[str] | None = None  # of an access token
    is_over: bool = False


class Sessions(RuleBasedStateMachine):
    """A user, and everything that is signed in as her."""

    clock: Clock
    client: APIClient

    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.user = make_user("alice@example.com")
        make_user("adam@example.com", role="admin")
        self.password = PASSWORD
        self.active, self.role = True, "user"
        self.numbers = itertools.count()
        self.sessions: list[Held] = []
        self.tokens: list[Held] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    # What should be

    def works(self, held: Held) -> bool:
        now = self.clock.now
        if held.is_over or not self.active or held.ends <= now:
            return False
        return held.scopes is not None or now - held.used < timedelta(seconds=IDLE)

    def is_recent(self, held: Held) -> bool:
        return self.clock.now - held.given < timedelta(seconds=RECENT)

    def note_use(self, held: Held) -> None:
        if self.clock.now - held.used >= timedelta(seconds=NOTED):
            held.used = self.clock.now

    def end(self, *held: Held) -> None:
        for each in held:
            each.is_over = True

    # What is

    def fresh_client(self) -> APIClient:
        """The one client without what it held: another would load the middleware anew."""
        self.client.cookies = SimpleCookie()
        self.client.credentials()
        return self.client

    def ask(self, held: Held, method: str, path: str, body: Any = None) -> Any:
        client = self.fresh_client()
        if held.is_browser:
            client.cookies[COOKIE] = held.secret
        else:
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {held.secret}")
        sent = () if body is None else (orjson.dumps(body), "application/json")
        return client.generic(method, path, *sent)

    def use(self, held: Held, method: str, path: str, body: Any = None) -> Any:
        """Ask, and keep the cookie that comes back."""
        works = self.works(held)
        answer = self.ask(held, method, path, body)
        assert (answer.status_code == 401) == (not works), answer.content
        if works:
            self.note_use(held)
            cookie = answer.client.cookies.get(COOKIE) if held.is_browser else None
            held.secret = cookie.value if cookie else held.secret
        return answer

    def look(self, held: Held, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Ask as if it had never been asked: looking must not count as a use."""
        with transaction.atomic():
            answer = self.ask(held, method, path, body)
            transaction.set_rollback(True)
        found = answer.json() if answer.status_code >= 400 else {}
        return answer.status_code, found.get("code", "")

    @invariant()
    def sessions_are_as_they_should_be(self) -> None:
        for held in self.sessions:
            found = self.look(held, "POST", "/api/keys", {})
            if not self.works(held):
                assert found[0] == 401
            elif self.role == "viewer":
                assert found == (403, "read_only_role")
            elif not self.is_recent(held):
                assert found == (403, "reauthentication_required")
            else:
                assert found == (400, "invalid")

    @invariant()
    def tokens_are_as_they_should_be(self) -> None:
        for n, held in enumerate(self.tokens):
            # Each is asked one thing after every step: all of them would take too long.
            scopes, *asked = QUESTIONS[(next(self.numbers) + n) % len(QUESTIONS)]
            status, code = self.look(held, *asked)
            if not self.works(held):
                assert status == 401
            elif not scopes:
                assert (status, code) == (403, "token_not_allowed")
            elif not held.scopes >= scopes:
                assert (status, code) == (403, "insufficient_scope")
            elif "admin" in scopes and self.role != "admin":
                assert status == 403
            else:
                assert status == (404 if "run" in scopes else 200)

    @invariant()
    def what_is_listed_is_what_works(self) -> None:
        if self.active:
            listed = set(self.user.sessions.alive().values_list("pk", flat=True))
            assert listed >= {held.pk for held in self.sessions if self.works(held)}
            assert not listed & {held.pk for held in self.sessions if not self.works(held)}

    # What happens

    @initialize(is_browser=st.booleans())
    def begin(self, is_browser: bool) -> None:
        self.sign_in(is_browser)
        self.sign_in(not is_browser)
        self.make_token(0, {"read", "write"}, 9)

    @rule(is_browser=st.booleans())
    def sign_in(self, is_browser: bool) -> None:
        self.make_room(self.sessions)
        given = {"email": self.user.email, "password": self.password}
        client = self.fresh_client()
        if is_browser:
            answer = client.post("/signin", given, format="multipart")
            assert (answer.status_code == 302) == self.active
        else:
            answer = client.post("/api/auth/login", given, format="json")
            assert (answer.status_code == 200) == self.active
        if not self.active:
            assert not self.user.sessions.exists()
            return
        secret = client.cookies[COOKIE].value if is_browser else answer.json()["token"]
        now = self.clock.now
        ends = now + timedelta(seconds=TTL)
        pk = Session.objects.latest("id").pk
        self.sessions.append(Held(secret, pk, ends, used=now, given=now, is_browser=is_browser))

    @precondition(lambda self: self.sessions)
    @rule(
        n=st.integers(0, MOST),
        scopes=st.sampled_from([{"read"}, {"run"}, {"read", "write"}, set(Scope.values)]),
        hours=st.sampled_from([2, 9]),
    )
    def make_token(self, n: int, scopes: set[str], hours: int) -> None:
        self.make_room(self.tokens)
        held, now = self.session(n), self.clock.now
        ends = now + timedelta(hours=hours)
        name = f"token {next(self.numbers)}"
        body = {"name": name, "scopes": sorted(scopes), "expires_at": ends.isoformat()}
        works, recent = self.works(held), self.is_recent(held)
        answer = self.use(held, "POST", "/api/auth/tokens", body)
        may = works and recent and scopes <= {*scopes_for(self.role)}
        assert (answer.status_code == 201) == may, answer.content
        if may:
            pk = AccessToken.objects.get(name=name).pk
            secret = answer.json()["token"]
            self.tokens.append(Held(secret, pk, ends, now, now, scopes=frozenset(scopes)))

    @rule(
        n=st.integers(0, 2 * MOST),
        what=st.sampled_from(["noted", "noted", "recent", "recent", "recent", "idle", "end"]),
        early=st.sampled_from([0, 1]),
    )
    def let_time_go_by(self, n: int, what: str, early: int) -> None:
        """Until something of one of them is over, or to one second before."""
        # Seldom a token: the sessions are over long before it.
        each = self.pick(self.sessions if n % MOST else [*self.sessions, *self.tokens], n)
        moment = {
            "noted": each.used + timedelta(seconds=NOTED),
            "recent": each.given + timedelta(seconds=RECENT),
            "idle": each.used + timedelta(seconds=IDLE),
            "end": each.ends,
        }["end" if each.scopes else what]
        self.clock.now = max(self.clock.now, moment - timedelta(seconds=early))

    @precondition(lambda self: self.sessions)
    @rule(n=st.integers(0, MOST))
    def use_it(self, n: int) -> None:
        self.use(self.session(n), "GET", "/api/auth/me")

    @precondition(lambda self: self.sessions)
    @rule(n=st.integers(0, MOST), is_right=st.booleans())
    def give_the_password(self, n: int, is_right: bool) -> None:
        held = self.session(n)
        works, before = self.works(held), held.secret
        body = {"password": self.password if is_right else "wrong"}
        self.use(held, "POST", "/api/auth/reauthenticate", body)
        if works and is_right:
            held.given = self.clock.now
            assert (held.secret != before) == held.is_browser
            if held.is_browser:
                stolen = Held(before, held.pk, held.ends, held.used, held.given, is_browser=True)
                assert self.look(stolen, "GET", "/api/auth/me")[0] == 401

    @precondition(lambda self: self.sessions)
    @rule(n=st.integers(0, MOST), other=st.integers(0, MOST))
    def end_one(self, n: int, other: int) -> None:
        held, target = self.session(n), self.session(other)
        works = self.works(held)
        self.use(held, "DELETE", f"/api/auth/sessions/{target.pk}")
        if works:
            self.end(target)

    @precondition(lambda self: self.sessions)
    @rule(n=st.integers(0, MOST))
    def end_all_others(self, n: int) -> None:
        held = self.session(n)
        works = self.works(held)
        self.use(held, "DELETE", "/api/auth/sessions")
        if works:
            self.end(*(each for each in self.sessions if each is not held))

    @precondition(lambda self: self.sessions)
    @rule(n=st.integers(0, MOST))
    def sign_out(self, n: int) -> None:
        held = self.session(n)
        before = held.secret
        self.use(held, "POST", "/api/auth/logout")
        held.secret = before  # what a thief would have kept
        self.end(held)

    @precondition(lambda self: self.sessions and self.tokens)
    @rule(n=st.integers(0, MOST), token=st.integers(0, MOST))
    def delete_token(self, n: int, token: int) -> None:
        held, target = self.session(n), self.tokens[token % len(self.tokens)]
        works = self.works(held)
        self.use(held, "DELETE", f"/api/auth/tokens/{target.pk}")
        if works:
            self.end(target)

    @precondition(lambda self: self.sessions)
    @rule(n=st.integers(0, MOST), is_right=st.booleans())
    def change_password(self, n: int, is_right: bool) -> None:
        held, new = self.session(n), f"another phrase {next(self.numbers)}"
        works = self.works(held)
        body = {"current_password": self.password if is_right else "wrong", "new_password": new}
        answer = self.use(held, "POST", "/api/auth/password", body)
        if works and is_right:
            assert answer.status_code == 204
            held.given = self.clock.now
            self.password = new
            self.end(*(each for each in self.sessions if each is not held), *self.tokens)

    @rule()
    def have_the_password_set(self) -> None:
        """As a reset does, and an administrator."""
        self.password = f"another phrase {next(self.numbers)}"
        self.user.refresh_from_db()
        flows.set_password(self.user, self.password, by=None)
        self.end(*self.sessions, *self.tokens)

    @rule(active=st.sampled_from([True, True, False]))
    def switch(self, active: bool) -> None:
        """Deactivate her, or let her in again: her tokens work again then, her sessions do not."""
        (users.activate if active else users.deactivate)(self.user, by=None)
        if active != self.active:
            self.end(*self.sessions)
        self.active = active

    @rule(role=st.sampled_from(["user", "admin", "viewer"]))
    def change_role(self, role: str) -> None:
        users.change_role(self.user, role, by=None)
        self.role = role

    def session(self, n: int) -> Held:
        return self.pick(self.sessions, n)

    def make_room(self, held: list[Held]) -> None:
        """Forget one, of those that are over if there are any."""
        if len(held) == MOST:
            over = [each for each in held if not self.works(each)]
            held.remove((over or held)[0])

    def pick(self, held: list[Held], n: int) -> Held:
        """Mostly one that works: with the others there is less to go wrong."""
        found = [each for each in held if self.works(each)] if n else []
        return (found or held)[n % len(found or held)]


def test_each_works_exactly_as_long_as_it_may(db, settings, monkeypatch):
    """security.md 8 and 10."""
    settings.SESSION_IDLE_TTL = IDLE
    settings.SESSION_TTL = settings.SESSION_COOKIE_AGE = TTL
    settings.REAUTHENTICATION_AGE = RECENT
    Sessions.clock = Clock().stop(monkeypatch)
    Sessions.client = APIClient()
    run_state_machine_as_test(Sessions, settings=CALM)


CALM = settings(
    max_examples=15,
    stateful_step_count=20,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
