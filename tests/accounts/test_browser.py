"""A browser's sign-in is a row that can be ended, read with the user in one query."""

import base64
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.contrib.sessions.models import Session as DjangoSession
from django.test import Client
from django.utils import timezone

from accounts import browser
from accounts.browser import AuthenticationMiddleware
from accounts.models import Session
from accounts.session_store import SessionStore
from tests.factories import PASSWORD

URL = "/profile/password"  # a page that reads nothing but who asks
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def sign_in(client, user, **extra):
    return client.post("/signin", {"email": user.email, "password": PASSWORD}, **extra)


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


def test_the_key_of_the_cookie_is_in_no_table(client, alice):
    """security.md 8: 256 random bits, and only a digest at rest, in Django's own table too."""
    sign_in(client, alice)
    key = client.cookies["sessionid"].value

    assert len(base64.urlsafe_b64decode(key + "=")) == 32
    assert key not in str(Session.objects.values().get())
    assert key not in str(DjangoSession.objects.values().get())
    assert key not in str(client.session.items())


def test_what_a_stolen_table_holds_signs_nobody_in(client, alice):
    """security.md 8."""
    sign_in(client, alice)
    thief = Client()
    for secret in (DjangoSession.objects.get().session_key, alice.sessions.get().digest):
        thief.cookies["sessionid"] = secret
        assert not is_in(thief)


def test_a_row_that_was_copied_is_of_no_use(client, alice):
    """security.md 8: neither when the session has ended nor under another key meanwhile."""
    sign_in(client, alice)
    row = DjangoSession.objects.get()
    theirs = SessionStore("k" * 43)
    theirs.save(must_create=True)
    DjangoSession.objects.exclude(pk=row.pk).update(session_data=row.session_data)
    thief = Client()
    thief.cookies["sessionid"] = "k" * 43
    assert not is_in(thief)
    assert is_in(client)

    client.post("/signout")
    row.save(force_insert=True)
    assert not is_in(client)


def test_django_s_session_without_our_row_is_nobody(alice):
    """No sign-in goes around the row, such as one of Django's own views."""
    browser = Client()
    browser.login(username=alice.email, password=PASSWORD)

    assert not is_in(browser)
    assert not Session.objects.exists()


@pytest.mark.parametrize("known", [False, True], ids=["made up", "a stranger's"])
def test_a_planted_key_is_not_taken_over(client, alice, known):
    """security.md 9: session fixation."""
    planted = "p" * 43
    if known:
        theirs = SessionStore(planted)
        theirs["planted"] = True
        theirs.save(must_create=True)
    client.cookies["sessionid"] = planted
    sign_in(client, alice)

    assert client.cookies["sessionid"].value != planted
    assert is_in(client)
    attacker = Client()
    attacker.cookies["sessionid"] = planted
    assert not is_in(attacker)


def test_signing_in_anew_makes_another_key(alice, rf):
    """security.md 9: for the same person too, and what was signed in before is not any more."""
    request = rf.post("/signin")
    request.session = SessionStore()
    keys = []
    for _ in range(2):
        browser.begin(request, alice)
        request.session.save()
        keys.append(request.session.session_key)

    assert keys[0] != keys[1]
    assert not SessionStore().exists(keys[0])


def test_keys_may_be_any_text(db):
    client = Client()
    for key in ("", "short", "x" * 5000, "nul\x00nul", "ünïcode-key"):
        client.cookies["sessionid"] = key
        assert not is_in(client)


def test_asynchronous_sessions_are_kept_alike(db):
    """Nothing of ours reads one, but Django may."""

    async def go():
        store = SessionStore()
        await store.aset("a", 1)
        await store.acreate()
        await store.aset("a", 2)
        await store.asave()
        key = store.session_key
        again = SessionStore(key)
        found = await again.aget("a"), await again.aexists(key)
        await again.aflush()
        return (*found, await SessionStore(key).aget("a"), key)

    *found, key = async_to_sync(go)()
    assert found == [2, True, None]
    assert len(key) == 43


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
