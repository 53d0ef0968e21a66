"""Bearer tokens and cookies: who is let in, and what a forgery costs."""

import base64
import json
from datetime import timedelta

import jwt
import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Session
from tests.factories import PASSWORD

URL = "/api/auth/me"


@pytest.fixture
def token(alice):
    return Session.open(alice, ip=None, user_agent="")[1]


def get(token, scheme="Bearer"):
    return APIClient().get(URL, headers={"Authorization": f"{scheme} {token}"})


def claims(token):
    return jwt.decode(token, options={"verify_signature": False})


def test_the_token_holds_what_it_must_and_256_random_bits(token, alice):
    """security.md 8."""
    found = claims(token)

    assert set(found) == {"sub", "jti", "iat", "exp"}
    assert found["sub"] == str(alice.pk)
    assert len(base64.urlsafe_b64decode(found["jti"] + "=")) == 32
    assert found["exp"] - found["iat"] == 7 * 24 * 3600


def test_one_query_is_enough(token, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert get(token).status_code == 200


def forged(token):
    yield "wrong key", jwt.encode(claims(token), "k" * 40, algorithm="HS256")
    yield "no key", jwt.encode(claims(token), None, algorithm="none")
    head = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode())
    yield "alg none", f"{head.decode().rstrip('=')}.{token.split('.')[1]}."
    yield "cut", token[:-4]
    yield "changed", token.replace(token.split(".")[1][:8], "AAAAAAAA")
    yield "text", "hello"
    yield "empty", ""
    yield "long", "a" * 7000
    yield "two", f"{token} {token}"
    yield "not ascii", "tök.en.x"


def test_a_forged_token_costs_no_query(token, django_assert_num_queries):
    """security.md 8: another key, no algorithm, pieces."""
    for kind, forgery in forged(token):
        with django_assert_num_queries(0):
            answer = get(forgery)
        assert answer.status_code == 401, kind
        assert answer["WWW-Authenticate"] == "Bearer"
        assert answer.json()["code"] == "invalid_token"


def test_an_expired_token_is_refused_by_its_own_claim(token, settings, django_assert_num_queries):
    """security.md 8."""
    old = claims(token) | {"exp": int(timezone.now().timestamp()) - 1}
    expired = jwt.encode(old, settings.SECRET_KEY, algorithm="HS256")

    with django_assert_num_queries(0):
        assert get(expired).status_code == 401


@pytest.mark.parametrize("missing", ["sub", "jti", "iat", "exp"])
def test_a_token_without_one_of_its_claims_is_refused(token, settings, missing):
    """security.md 8."""
    part = {name: value for name, value in claims(token).items() if name != missing}

    assert get(jwt.encode(part, settings.SECRET_KEY, algorithm="HS256")).status_code == 401


def test_the_row_is_the_authority(token):
    """security.md 8."""
    Session.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert get(token).status_code == 401


def test_a_token_of_someone_else_s_session_is_refused(token, bob, settings):
    """security.md 8."""
    mixed = claims(token) | {"sub": str(bob.pk)}

    assert get(jwt.encode(mixed, settings.SECRET_KEY, algorithm="HS256")).status_code == 401


def test_inactive_users_are_refused_at_once_everywhere(token, alice):
    browser = Client()
    browser.force_login(alice)
    assert browser.get(URL).status_code == 200
    assert browser.get("/profile").status_code == 200
    assert get(token).status_code == 200

    alice.is_active = False
    alice.save()

    assert get(token).status_code == 401
    assert browser.get(URL).status_code == 401
    assert browser.get("/profile").status_code == 302
    assert (
        APIClient()
        .post("/api/auth/login", {"email": alice.email, "password": PASSWORD})
        .status_code
        == 401
    )


def test_use_is_noted_at_most_once_a_minute(token, django_assert_num_queries):
    Session.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))

    with django_assert_num_queries(2):
        get(token)
    with django_assert_num_queries(1):
        get(token)

    assert timezone.now() - Session.objects.get().last_used_at < timedelta(minutes=1)


def test_anonymous(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = APIClient().get(URL)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer.json()["code"] == "not_authenticated"
    assert set(answer.json()) == {"error", "code", "details"}


def test_a_token_counts_in_its_header_only(token):
    """security.md 13."""
    client = APIClient()
    client.cookies["token"] = client.cookies["Authorization"] = token

    assert client.get(f"{URL}?token={token}&access_token={token}").status_code == 401
    assert get(token, scheme="Token").status_code == 401


def test_a_cookie_needs_the_csrf_token_to_write(alice):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)

    assert browser.get(URL).status_code == 200
    refused = browser.patch(URL, {"name": "Eve"}, content_type="application/json")
    assert refused.status_code == 403
    assert refused.json()["code"] == "csrf_failed"

    browser.cookies["csrftoken"] = "a" * 32
    answer = browser.patch(
        URL,
        {"name": "Alice"},
        content_type="application/json",
        headers={"X-CSRFToken": "a" * 32},
    )
    assert answer.status_code == 200


def test_a_bearer_token_needs_none(token):
    client = APIClient(enforce_csrf_checks=True)

    answer = client.patch(URL, {"name": "A"}, headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 200
