"""Whatever is done with access tokens, in any order: each opens what it should, and no more."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from rest_framework.test import APIClient

from accounts import flows, tokens
from accounts.models import AccessToken, Scope, User
from hummbl.errors import AppError
from tests.clock import Clock
from tests.factories import make_user

SCOPES = st.sets(st.sampled_from(Scope.values), min_size=1)
PICK = st.integers(0, 3)
DAYS = st.one_of(st.integers(1, 30), st.integers(-1, 400))
ROLES = st.sampled_from(["admin", "user", "viewer"])
STEPS = st.one_of(
    st.tuples(st.just("make"), SCOPES, DAYS),
    st.tuples(st.just("delete"), PICK),
    st.tuples(st.just("wait"), st.sampled_from([1, 3600, 7 * 86400, 30 * 86400])),
    st.tuples(st.just("role"), ROLES),
    st.tuples(st.just("active"), st.booleans()),
    st.tuples(st.just("password")),
    st.tuples(st.just("use"), PICK),
)
ALLOWED = {
    "viewer": {"read"},
    "user": {"read", "run", "write"},
    "admin": {"read", "run", "write", "admin"},
}


@dataclass
class Known:
    """What the test knows of a token."""

    secret: str
    scopes: set[str]
    ends: datetime
    row: AccessToken
    deleted: bool = False


class Story:
    """The user, the tokens that there ever were, and what they must be answered."""

    def __init__(self, clock: Clock, role: str) -> None:
        self.clock, self.user = clock, make_user("alice@example.com", role=role)
        self.made: list[Known] = []

    def make(self, scopes, days):
        ends = timezone.now() + timedelta(days=days)
        living = [known for known in self.made if not known.deleted]
        try:
            row, secret = tokens.create_token(
                self.user, name=f"{len(self.made)}", scopes=scopes, expires_at=ends
            )
        except AppError:
            assert not (scopes <= ALLOWED[self.user.role] and 0 < days <= 366)
            assert self.user.access_tokens.count() == len(living)
        else:
            assert scopes <= ALLOWED[self.user.role]
            assert 0 < days <= 366
            self.made.append(Known(secret, scopes, ends, row))

    def delete(self, pick):
        for known in self.made[pick : pick + 1]:
            try:
                tokens.delete_token(self.user, known.row.pk)
            except AppError:
                assert known.deleted
            known.deleted = True

    def wait(self, seconds):
        self.clock.advance(seconds)

    def role(self, role):
        self.user.role = role
        self.user.save()

    def active(self, active):
        self.user.is_active = active
        self.user.save()

    def password(self):
        flows.set_password(self.user, "quite another phrase", by=self.user)
        for known in self.made:
            known.deleted = True

    def use(self, pick):
        for known in self.made[pick : pick + 1]:
            self.check(known)

    def check(self, known):
        """Ask for one thing with every scope's, and compare with what it should be."""
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {known.secret}")
        alive = not known.deleted and self.user.is_active and known.ends > timezone.now()
        answers = {
            "read": client.get("/api/auth/me").status_code,
            "write": client.patch("/api/auth/me", {"name": "A"}).status_code,
            "run": client.post(f"/api/workflows/{self.user.pk}/execute", {}).status_code,
            "admin": client.get("/api/admin/stats").status_code,
        }
        if not alive:
            assert set(answers.values()) == {401}
            return
        had = known.scopes
        administers = {"read", "admin"} <= had and self.user.role == "admin"
        assert answers == {
            "read": 200 if "read" in had else 403,
            "write": 200 if "write" in had else 403,
            "run": 404 if "run" in had else 403,
            "admin": 200 if administers else 403,
        }
        assert client.get("/api/auth/tokens").status_code == 403


class AnyOrder(TestCase):
    @settings(max_examples=40, suppress_health_check=list(HealthCheck))
    @given(ROLES, st.lists(SCOPES, min_size=1, max_size=3), st.lists(STEPS, max_size=10))
    def test_any_order_of_steps(self, role, first, steps):
        """security.md 8: expiry, deletion and deactivation, on a clock that a test moves."""
        with pytest.MonkeyPatch.context() as patch:
            story = Story(Clock().stop(patch), role)
            for scopes in first:
                story.make(scopes, 20)
            for name, *arguments in steps:
                getattr(story, name)(*arguments)
            for known in story.made:
                story.check(known)
            for row in AccessToken.objects.all():
                assert not any(known.secret in str(vars(row)) for known in story.made)
            assert User.objects.get().role == story.user.role
