"""/signin"""

import pytest
from django.core import mail
from django.test import Client
from django.utils.module_loading import import_string

from accounts.models import User
from tests.accounts.letters import letter, path_in
from tests.factories import PASSWORD

URL = "/signin"
WRONG = "The e-mail address or the password is wrong."


def post(client, **fields):
    return client.post(URL, {"email": "alice@example.com", "password": PASSWORD, **fields})


@pytest.mark.django_db
def test_shows_the_form_to_strangers(client):
    response = client.get(URL)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert b'autocomplete="current-password"' in response.content


def test_signs_in_and_goes_to_the_dashboard(client, alice):
    response = post(client, email="ALICE@Example.com")
    assert (response.status_code, response["Location"]) == (302, "/dashboard")
    assert client.session["_auth_user_id"] == str(alice.pk)


def test_the_session_id_changes(client, alice):
    # security.md 9.
    session = client.session
    session["before"] = True
    session.save()
    before = session.session_key
    post(client)
    assert client.session.session_key != before


def test_goes_on_to_where_the_person_was_going(client, alice):
    assert b'value="/profile"' in client.get(URL, {"next": "/profile"}).content
    assert post(client, next="/profile")["Location"] == "/profile"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:///evil.example",
        "profile",
        "http",
    ],
)
def test_never_leaves_the_site(client, alice, target):
    assert post(client, next=target)["Location"] == "/dashboard"


def test_says_the_same_to_wrong_password_unknown_address_and_inactive_user(client, alice, bob):
    # security.md 7.
    User.objects.filter(pk=bob.pk).update(is_active=False)
    answers = [
        post(client, password="wrong"),
        post(client, email="nobody@example.com"),
        post(client, email=bob.email),
    ]
    assert [answer.status_code for answer in answers] == [401] * 3
    assert all(WRONG in answer.content.decode() for answer in answers)
    assert "_auth_user_id" not in client.session


@pytest.mark.django_db
def test_keeps_the_address_and_drops_the_password_after_a_refusal(client):
    body = post(client, email="who@example.com", password="hush-hush").content.decode()
    assert "who@example.com" in body
    assert "hush-hush" not in body


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"email": ""}, "This field is required."),
        ({"email": "not an address"}, "Enter a valid email address."),
        ({"password": ""}, "This field is required."),
        ({"password": "x" * 2000}, "at most 1000 characters"),
        ({"email": "a\x00@example.com"}, "Null characters are not allowed."),
    ],
)
def test_shows_what_is_wrong_with_the_input(client, fields, said):
    response = post(client, **fields)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert b'aria-invalid="true"' in response.content


def test_needs_a_csrf_token(alice):
    strict = Client(enforce_csrf_checks=True)
    response = post(strict)
    assert response.status_code == 403
    assert "This form is no longer valid" in response.content.decode()
    assert "_auth_user_id" not in strict.session


def test_someone_signed_in_goes_on(client, alice):
    client.force_login(alice)
    assert client.get(URL)["Location"] == "/dashboard"
    assert client.get(URL, {"next": "/profile"})["Location"] == "/profile"


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_wrong_method(client, method):
    response = getattr(client, method)(URL)
    assert response.status_code == 405
    assert "POST" in response["Allow"]


def test_too_many_attempts_are_refused_before_hashing(client, alice, limits):
    limits(AUTH="2/m")
    for _ in range(2):
        assert post(client, password="wrong").status_code == 401
    response = post(client)
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert "Try again in" in response.content.decode()
    assert "_auth_user_id" not in client.session


def test_an_unproven_address_is_told_to_who_knows_the_password(client, alice, settings):
    """security.md 7: to nobody else."""
    settings.REQUIRE_VERIFIED_EMAIL = True
    assert WRONG in post(client, password="wrong").content.decode()
    assert mail.outbox == []
    response = post(client)
    assert response.status_code == 403
    assert "Your e-mail address is not verified yet." in response.content.decode()
    assert "_auth_user_id" not in client.session
    client.post(path_in(letter()))
    assert post(client).status_code == 302


def test_an_unknown_a_deactivated_and_a_wrong_one_hash_once_each(client, alice, bob, monkeypatch):
    """security.md 7: the same time, because the same work."""
    bob.is_active = False
    bob.save()
    hashed = []
    for name in (
        "django.contrib.auth.hashers.verify_password",
        "django.contrib.auth.base_user.make_password",
    ):
        monkeypatch.setattr(name, counting(name, hashed))
    counts = []
    for email in ("nobody@example.com", bob.email, alice.email):
        hashed.clear()
        post(client, email=email, password="wrong password")
        counts.append(len(hashed))
    assert counts == [1, 1, 1]


def counting(name, calls):
    """That function, noting each call."""
    real = import_string(name)

    def call(*args, **kwargs):
        calls.append(name)
        return real(*args, **kwargs)

    return call


@pytest.mark.once
@pytest.mark.parametrize(
    ("typed", "field"),
    [({"password": "wrong"}, "password"), ({"email": "alice", "password": ""}, "email")],
    ids=["refused", "in error"],
)
def test_one_goes_on_where_it_failed(client, alice, typed, field):
    form = post(client, **typed).context["form"]
    focused = [bound.name for bound in form if bound.field.widget.attrs.get("autofocus")]
    assert focused == [field]
