"""/profile/tokens, /profile/tokens/new and /profile/tokens/<id>/delete."""

import re
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session as DjangoSession
from django.test import Client
from django.utils import timezone

from accounts.models import AccessToken, AuditEntry, Session
from tests.factories import make_token

URL = "/profile/tokens"
NEW = "/profile/tokens/new"
FORM = {"name": "Nightly report", "scopes": ["read", "run"], "days": "30"}


@pytest.fixture
def browser(client, alice):
    client.force_login(alice)
    return client


def secret_in(response):
    (secret,) = set(re.findall(r"hummbl_[A-Za-z0-9_-]{43}", response.content.decode()))
    return secret


def test_the_list_says_what_each_may_do_and_until_when(browser, alice, bob):
    make_token(alice, "read", "run", name="A <b>name</b>")
    _, secret = make_token(alice, name="Soon", expires_at=timezone.now() + timedelta(days=3))
    make_token(alice, name="Today", expires_at=timezone.now() + timedelta(hours=3))
    make_token(alice, name="Gone", expires_at=timezone.now() - timedelta(days=3))
    make_token(bob, name="Bob’s")

    response = browser.get(URL)

    body = response.content.decode()
    assert [token.name for token in response.context["tokens"]] == [
        "Gone",
        "Today",
        "Soon",
        "A <b>name</b>",
    ]
    assert "A &lt;b&gt;name&lt;/b&gt;" in body
    assert '<li class="chip plain">run</li>' in body
    assert "Expires in 3 days" in body
    assert "Expires within a day" in body
    assert "Expired" in body
    assert "Never used" in body
    assert "Bob’s" not in body
    assert secret not in body


def test_the_empty_list_teaches(browser):
    body = browser.get(URL).content.decode()

    assert "No access token yet" in body
    assert "$HUMMBL_TOKEN" in body
    assert "http://testserver/api/workflows" in body


def test_queries_do_not_grow_with_rows(browser, alice, django_assert_num_queries):
    make_token(alice)
    with django_assert_num_queries(3):  # the session, the user; the tokens
        browser.get(URL)
    for _ in range(10):
        make_token(alice)
    with django_assert_num_queries(3):
        browser.get(URL)


def test_a_new_one_is_shown_once(browser, alice, bearer):
    response = browser.post(NEW, FORM)

    assert response.status_code == 201
    assert "no-store" in response["Cache-Control"]
    secret = secret_in(response)
    assert bearer(secret).get("/api/auth/me").json()["email"] == alice.email
    token = alice.access_tokens.get()
    assert token.scopes == ["read", "run"]
    assert timedelta(days=29) < token.expires_at - timezone.now() <= timedelta(days=30)
    for path in (URL, "/profile", NEW, "/dashboard"):
        assert "hummbl_" not in browser.get(path).content.decode().replace("hummbl_…", "")


def test_the_secret_is_kept_nowhere(browser):
    """security.md 14: a canary, in the browser's session, its cookies, and the audit log."""
    response = browser.post(NEW, FORM)

    secret = secret_in(response)
    kept = [session.get_decoded() for session in DjangoSession.objects.all()]
    cookies = browser.cookies.output() + response.cookies.output()
    for place in (kept, cookies, AuditEntry.objects.values(), AccessToken.objects.values()):
        assert secret.removeprefix("hummbl_") not in str(list(place))
    assert django_settings.SESSION_COOKIE_NAME in cookies


def test_sending_the_form_again_makes_no_second_one(browser):
    secret = secret_in(browser.post(NEW, FORM))

    again = browser.post(NEW, FORM)

    assert again.status_code == 409
    assert "You have a token named “Nightly report” already." in again.content.decode()
    assert secret not in again.content.decode()
    assert AccessToken.objects.count() == 1


def test_an_example_is_given_to_those_who_may_read(browser):
    assert "curl" in browser.post(NEW, FORM).content.decode()
    without = browser.post(NEW, {**FORM, "name": "x", "scopes": ["run"]})
    assert "curl" not in without.content.decode()


@pytest.mark.parametrize(
    ("who", "offered"),
    [
        pytest.param("vera", ["read"], id="viewer"),
        pytest.param("alice", ["read", "run", "write"], id="user"),
        pytest.param("adam", ["read", "run", "write", "admin"], id="admin"),
    ],
)
def test_a_role_is_offered_what_it_may_give_away(client, who, offered, request):
    client.force_login(request.getfixturevalue(who))

    body = client.get(NEW).content.decode()

    assert re.findall(r'name="scopes" value="(\w+)"', body) == offered
    assert 'value="read" checked' in body or "checked" in body.split('value="read"')[1][:60]
    for scope in ("read", "run", "write", "admin"):
        status = client.post(NEW, {**FORM, "name": scope, "scopes": [scope]}).status_code
        assert status == (201 if scope in offered else 422)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"name": " "}, "This field is required.", id="no name"),
        pytest.param({"name": "x" * 101}, "at most 100 characters", id="long name"),
        pytest.param({"name": "a\0b"}, "Null characters are not allowed.", id="null byte"),
        pytest.param({"scopes": []}, "Choose at least one.", id="no scope"),
        pytest.param({"scopes": ["root"]}, "Select a valid choice.", id="unknown scope"),
        pytest.param({"days": "999"}, "Select a valid choice.", id="too long"),
    ],
)
def test_what_is_refused_stands_at_its_field(browser, changes, said):
    response = browser.post(NEW, {**FORM, **changes})

    assert response.status_code == 422
    assert said in response.content.decode()
    assert not AccessToken.objects.exists()


def test_making_one_wants_a_recent_sign_in(browser, alice):
    """security.md 10: who took over a browser makes no credentials with it."""
    Session.objects.update(authenticated_at=timezone.now() - timedelta(minutes=16))

    assert browser.get(NEW)["Location"].startswith("/reauthenticate")
    refused = browser.post(NEW, FORM)

    assert refused.status_code == 403
    assert not AccessToken.objects.exists()
    assert browser.get(URL).status_code == 200


def test_deleting_one(browser, alice, bearer):
    token, secret = make_token(alice, name="Old")
    Session.objects.update(authenticated_at=timezone.now() - timedelta(days=1))

    response = browser.post(f"{URL}/{token.pk}/delete", follow=True)

    assert response.redirect_chain == [(URL, 302)]
    assert "The access token “Old” was deleted." in response.content.decode()
    assert bearer(secret).get("/api/auth/me").status_code == 401


@pytest.mark.parametrize("who", ["bob", "adam", "vera"])
def test_another_s_is_not_there(client, alice, who, request):
    """security.md 1."""
    token, _ = make_token(alice, name="Alice’s")
    client.force_login(request.getfixturevalue(who))

    assert "Alice’s" not in client.get(URL).content.decode()
    assert client.post(f"{URL}/{token.pk}/delete").status_code == 404
    assert AccessToken.objects.filter(pk=token.pk).exists()


def test_strangers_sign_in_first(client, db):
    for path in (URL, NEW):
        assert client.get(path)["Location"] == f"/signin?next={path}"
    assert client.post(NEW, FORM)["Location"].startswith("/signin")


def test_methods_and_csrf(browser, alice):
    token, _ = make_token(alice)
    assert browser.post(URL).status_code == 405
    assert browser.put(NEW).status_code == 405
    assert browser.get(f"{URL}/{token.pk}/delete").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert strict.post(NEW, FORM).status_code == 403
    assert strict.post(f"{URL}/{token.pk}/delete").status_code == 403
    assert AccessToken.objects.count() == 1


def test_the_profile_leads_here(browser):
    assert f'href="{URL}"' in browser.get("/profile").content.decode()
