"""A browser's sign-in is a row that can be ended, read with the user in one query."""

from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import login
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from accounts.browser import AuthenticationMiddleware
from accounts.models import Session
from tests.factories import PASSWORD

URL = "/profile/password"  # a page that reads nothing but who asks
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def sign_in(client, user, **extra):
    return client.post("/signin", {"email": user.email, "password": PASSWORD}, **extra)


def signed_in_before_there_were_rows(user):
    """A browser with Django's session alone."""
    client = Client()
    request = HttpRequest()
    request.session = client.session
    login(request, user)
    request.session.save()
    client.cookies["sessionid"] = request.session.session_key
    return client


def is_in(client):
    return client.get(URL).status_code == 200


def test_signing_in_says_where_from(client, alice):
    sign_in(client, alice, HTTP_USER_AGENT=FIREFOX, REMOTE_ADDR="203.0.113.9")

    session = alice.sessions.get()
    assert (session.kind, session.ip, session.device) == (
        "browser",
        "203.0.113.9",
        "Firefox on Linux",
    )
    assert session.expires_at - session.created_at <= timedelta(days=7)


def test_the_address_is_the_trusted_proxy_s_word(client, alice, settings):
    settings.TRUSTED_PROXY_COUNT = 1
    sign_in(client, alice, HTTP_X_FORWARDED_FOR="198.51.100.1, 203.0.113.9")

    assert alice.sessions.get().ip == "203.0.113.9"


def test_signing_up_makes_a_row_too(client, db):
    client.post("/signup", {"email": "new@example.com", "password": "an entirely new phrase"})

    assert Session.objects.get().kind == "browser"
    assert is_in(client)


def test_the_key_of_the_cookie_is_not_in_the_table(client, alice):
    sign_in(client, alice)

    assert client.cookies["sessionid"].value not in str(Session.objects.values().get())


def test_two_queries_as_with_django_alone(client, alice, django_assert_num_queries):
    sign_in(client, alice)
    with django_assert_num_queries(2):  # Django's session; ours with the user
        assert is_in(client)


def test_use_is_noted_at_most_once_a_minute(client, alice, django_assert_num_queries):
    sign_in(client, alice)
    Session.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))

    with django_assert_num_queries(3):
        assert is_in(client)
    with django_assert_num_queries(2):
        assert is_in(client)

    assert timezone.now() - Session.objects.get().last_used_at < timedelta(minutes=1)


@pytest.mark.parametrize(
    "end",
    [
        lambda sessions: sessions.all().delete(),
        lambda sessions: sessions.update(expires_at=timezone.now() - timedelta(seconds=1)),
        lambda sessions: sessions.update(kind="api"),
    ],
)
def test_without_its_row_a_browser_is_out(client, alice, end):
    sign_in(client, alice)
    end(alice.sessions)

    assert not is_in(client)
    assert client.get("/api/auth/me").status_code == 401
    assert "_auth_user_id" not in client.session


def test_an_old_sign_in_gets_its_row_at_the_first_request(alice, django_assert_num_queries):
    browser = signed_in_before_there_were_rows(alice)
    assert not Session.objects.exists()

    assert browser.get(URL, HTTP_USER_AGENT=FIREFOX).status_code == 200

    session = alice.sessions.get()
    assert (session.kind, session.device) == ("browser", "Firefox on Linux")
    with django_assert_num_queries(2):
        assert is_in(browser)


def test_two_first_requests_at_once_make_one_row(alice):
    browser = signed_in_before_there_were_rows(alice)
    key = browser.session.session_key
    Session.open_for_browser(alice, key, ip=None, user_agent="")

    assert is_in(browser)
    assert alice.sessions.count() == 1


def test_an_old_sign_in_that_was_ended_stays_ended(alice):
    browser = signed_in_before_there_were_rows(alice)
    assert is_in(browser)
    alice.sessions.all().delete()

    assert not is_in(browser)
    assert not is_in(browser)
    assert not Session.objects.exists()


def test_an_old_sign_in_of_someone_deactivated_gets_none(alice):
    browser = signed_in_before_there_were_rows(alice)
    alice.is_active = False
    alice.save()

    assert not is_in(browser)
    assert not Session.objects.exists()


def test_a_row_of_someone_else_does_not_count(client, alice, bob):
    sign_in(client, alice)
    alice.sessions.update(user=bob)

    assert not is_in(client)


def test_a_password_set_elsewhere_signs_out(client, alice):
    sign_in(client, alice)
    alice.set_password("an entirely new phrase")
    alice.save()

    assert not is_in(client)


def test_signing_out_ends_the_row(client, alice):
    sign_in(client, alice)
    client.post("/signout")

    assert not Session.objects.exists()


def test_a_token_is_no_cookie_and_a_cookie_no_token(client, alice):
    sign_in(client, alice)
    key = client.cookies["sessionid"].value

    assert Client().get("/api/auth/me", HTTP_AUTHORIZATION=f"Bearer {key}").status_code == 401


def test_asynchronous_code_sees_the_same_user(rf, alice):
    request = rf.get("/")
    request.session = {}
    AuthenticationMiddleware(lambda request: None).process_request(request)

    async def ask():
        return await request.auser()

    assert async_to_sync(ask)().is_anonymous
