"""/reauthenticate, and the pages that send there."""

import html
import re

import pytest
from django.test import Client

from accounts.models import AuditEntry, Session, User
from accounts.views import kept_form
from tests.factories import PASSWORD, make_key
from workflows.models import ApiKey

URL = "/reauthenticate"
AGE = 15 * 60
SECRET = "sk-canary-0123456789-WXYZ"
KEY = {"provider": "openai", "name": "main", "key": SECRET}


@pytest.fixture
def browser(client, alice, clock):
    """Her browser, signed in just now."""
    client.post("/signin", {"email": alice.email, "password": PASSWORD})
    return client


@pytest.fixture
def old(browser, clock):
    """The same, signed in fifteen minutes ago."""
    clock.advance(AGE)
    return browser


def post(client, password=PASSWORD, **fields):
    return client.post(URL, {"password": password, **fields})


def kept(response):
    """The form that waits in the page."""
    body = response.content.decode()
    return html.unescape(re.search(rf'name="{kept_form.FIELD}" value="([^"]*)"', body)[1])


def actions(user):
    return list(AuditEntry.objects.filter(actor_id=user.pk).values_list("action", flat=True))


def test_says_who_asks_and_why(browser, alice):
    response = browser.get(URL, {"next": "/profile"})
    body = response.content.decode()
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert "alice@example.com" in body
    assert "within 15 minutes" in body
    assert 'value="/profile"' in body
    assert 'autocomplete="current-password"' in body


def test_takes_the_password_and_goes_on(old, alice, clock):
    assert post(old, next="/profile")["Location"] == "/profile"
    assert alice.sessions.get().authenticated_at == clock.now
    assert actions(alice)[0] == "user.reauthenticated"


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"],
    ids=["other host", "no scheme", "backslash", "script"],
)
def test_never_leaves_the_site(browser, target):
    assert post(browser, next=target)["Location"] == "/dashboard"


def test_the_session_gets_another_key(old, alice):
    """security.md 9: what was copied before the password was given again is of no use after it."""
    copied = Client()
    copied.cookies["sessionid"] = old.cookies["sessionid"].value
    assert copied.get("/profile").status_code == 200

    post(old)

    assert old.cookies["sessionid"].value != copied.cookies["sessionid"].value
    assert copied.get("/profile").status_code == 302
    assert old.get("/profile").status_code == 200
    assert alice.sessions.count() == 1


def test_a_wrong_password_is_said_and_noted(old, alice):
    response = post(old, password="hush-hush", next="/profile")
    body = response.content.decode()
    assert response.status_code == 400
    assert 'id="id_password_error"' in body
    assert "hush-hush" not in body
    assert 'value="/profile"' in body
    assert actions(alice)[0] == "user.sign_in_failed"
    assert "hush-hush" not in str(AuditEntry.objects.values_list("data", flat=True))
    assert old.get("/profile/tokens/new").status_code == 302


def test_someone_else_s_password_does_not_count(old, bob):
    bob.set_password("an entirely new phrase")
    bob.save()
    assert post(old, password="an entirely new phrase").status_code == 400


@pytest.mark.parametrize("password", ["", "x" * 1001], ids=["none", "too long"])
def test_bad_input(old, password):
    assert post(old, password=password).status_code == 422


def test_attempts_are_limited(old, limits):
    limits(AUTH="2/m")
    for _ in range(2):
        assert post(old, password="wrong").status_code == 400
    response = post(old)
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert old.get("/profile/tokens/new").status_code == 302


def test_a_form_that_waits_is_no_way_around_the_limit(old, limits):
    limits(AUTH="2/m")
    waiting = {kept_form.FIELD: kept(old.post("/keys", KEY)), "password": "wrong"}
    assert [old.post("/keys", waiting).status_code for _ in range(3)] == [400, 400, 429]
    assert post(old).status_code == 429


def test_strangers_sign_in_first(client, db):
    assert client.get(URL)["Location"].startswith("/signin")
    assert post(client)["Location"].startswith("/signin")


def test_needs_a_csrf_token(alice):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert post(strict).status_code == 403


def test_wrong_method(browser):
    assert browser.put(URL).status_code == 405


def test_a_page_is_opened_after_the_password(old):
    """security.md 10: before the form, so that nothing is typed for nothing."""
    sent = old.get("/profile/tokens/new?from=here")
    assert sent["Location"] == "/reauthenticate?next=%2Fprofile%2Ftokens%2Fnew%3Ffrom%3Dhere"
    assert post(old, next="/profile/tokens/new")["Location"] == "/profile/tokens/new"
    assert old.get("/profile/tokens/new").status_code == 200


def test_fifteen_minutes_to_the_second(browser, alice, clock):
    """security.md 10."""
    clock.advance(AGE - 1)
    assert browser.get("/profile/tokens/new").status_code == 200
    clock.advance(1)
    assert browser.get("/profile/tokens/new").status_code == 302


def test_what_was_sent_is_carried_out_after_the_password(old, alice):
    """security.md 10: nothing that was typed is lost."""
    asked = old.post("/keys", KEY)
    assert asked.status_code == 403
    assert "no-store" in asked["Cache-Control"]
    assert "is carried out next" in asked.content.decode()
    assert not ApiKey.objects.exists()

    answer = old.post("/keys", {kept_form.FIELD: kept(asked), "password": PASSWORD})

    assert answer["Location"] == "/keys"
    assert ApiKey.objects.get().credential().secret == SECRET


def test_what_waits_is_not_readable(old):
    """security.md 14: a provider key that was typed does not come back in the page."""
    asked = old.post("/keys", KEY).content.decode()
    assert SECRET not in asked
    assert "openai" not in asked


def test_a_wrong_password_keeps_it_waiting(old):
    waiting = kept(old.post("/keys", KEY))
    refused = old.post("/keys", {kept_form.FIELD: waiting, "password": "wrong"})
    assert refused.status_code == 400
    assert not ApiKey.objects.exists()
    assert kept(refused) == waiting
    old.post("/keys", {kept_form.FIELD: waiting, "password": PASSWORD})
    assert ApiKey.objects.exists()


def test_a_wrong_field_comes_back_with_the_others(old):
    waiting = kept(old.post("/keys", KEY | {"key": "short"}))
    shown = old.post("/keys", {kept_form.FIELD: waiting, "password": PASSWORD})
    assert shown.status_code == 422
    assert 'value="main"' in shown.content.decode()


def test_sent_twice_it_asks_once(old):
    waiting = kept(old.post("/keys", KEY))
    sent = {kept_form.FIELD: waiting, "password": PASSWORD}
    assert old.post("/keys", sent).status_code == 302
    assert "already have" in old.post("/keys", sent | {"password": ""}).content.decode()


def test_a_button_does_what_it_says_after_the_password(old, alice):
    key = make_key(alice)
    url = f"/keys/{key.pk}/delete"
    old.post(url, {kept_form.FIELD: kept(old.post(url)), "password": PASSWORD})
    assert not ApiKey.objects.exists()


def test_what_waits_counts_at_its_own_address_only(old, alice):
    key = make_key(alice)
    waiting = kept(old.post(f"/keys/{key.pk}/delete"))
    sent = {kept_form.FIELD: waiting, "password": PASSWORD}
    answer = old.post(f"/keys/{key.pk}/toggle", sent, follow=True)
    assert "no longer there" in answer.content.decode()
    assert ApiKey.objects.get().is_active


def test_what_waits_is_of_no_use_to_another_session(old, bob, clock):
    waiting = kept(old.post("/keys", KEY))
    other = Client()
    other.force_login(bob)
    sent = {kept_form.FIELD: waiting, "password": PASSWORD}
    assert other.post("/keys", sent)["Location"] == "/dashboard"
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("forged", ["", "x", "AAAA", "ä", "QUFB" * 20])
def test_a_forged_form_is_refused(browser, forged):
    answer = browser.post("/keys", {kept_form.FIELD: forged, **KEY})
    assert answer["Location"] == "/dashboard"
    assert not ApiKey.objects.exists()


def test_htmx_goes_to_the_page_as_a_whole(old, alice):
    key = make_key(alice)
    response = old.post(
        f"/keys/{key.pk}/delete",
        headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/keys?page=2"},
    )
    assert response["HX-Redirect"] == "/reauthenticate?next=%2Fkeys%3Fpage%3D2"
    assert ApiKey.objects.exists()


def test_a_session_from_before_it_was_noted_counts_as_old(browser, alice):
    Session.objects.update(authenticated_at=None)
    assert browser.get("/profile/tokens/new").status_code == 302


def test_changing_the_password_counts_as_giving_it(old, alice, clock):
    old.post(
        "/profile/password",
        {"current_password": PASSWORD, "new_password": "staple battery horse"},
    )
    assert old.get("/profile/tokens/new").status_code == 200
    assert alice.sessions.get().authenticated_at == clock.now


def test_a_hash_from_older_settings_is_renewed_and_the_browser_stays(old, alice, settings):
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.ScryptPasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    assert post(old).status_code == 302
    assert User.objects.get(pk=alice.pk).password.startswith("scrypt")
    assert old.get("/profile").status_code == 200
