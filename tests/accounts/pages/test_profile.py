"""/profile"""

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import AccessToken, Session, User

URL = "/profile"


def test_shows_who_you_are(client, vera):
    client.force_login(vera)
    body = client.get(URL).content.decode()
    assert "Vera Example" in body
    assert "vera@example.com" in body
    assert "You read the workflows that are shared" in body
    assert "Nothing else is signed in as you" in body
    assert "End all others" not in body


def test_saves_the_name_and_nothing_else(client, vera):
    client.force_login(vera)
    posted = {"name": "Vera Renamed", "role": "admin", "email": "x@example.com", "is_active": ""}
    assert client.post(URL, posted)["Location"] == URL
    vera.refresh_from_db()
    assert (vera.name, vera.role, vera.email) == ("Vera Renamed", "viewer", "vera@example.com")
    assert vera.is_active


def test_a_name_that_is_too_long(client, alice):
    client.force_login(alice)
    response = client.post(URL, {"name": "x" * 151})
    assert response.status_code == 422
    assert User.objects.get(pk=alice.pk).name == "Alice Example"


def test_a_refused_name_is_not_shown_as_saved(client, alice):
    client.force_login(alice)
    body = client.post(URL, {"name": "y" * 151}).content.decode()
    assert "<h1>Alice Example</h1>" in body


def test_strangers_sign_in_first(client, db):
    response = client.get(URL)
    assert response["Location"] == "/signin?next=/profile"


def test_needs_a_csrf_token(alice):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert strict.post(URL, {"name": "Mallory"}).status_code == 403


def test_wrong_method(client, alice):
    client.force_login(alice)
    assert client.delete(URL).status_code == 405


def test_an_inactive_user_is_out_at_once(client, alice):
    client.force_login(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert client.get(URL).status_code == 302


def _open(user, count):
    for number in range(count):
        Session.open(user, ip="127.0.0.1", user_agent=f"program-{number}/1.0")


@pytest.mark.parametrize("count", [1, 12])
def test_lists_sessions_in_a_constant_number_of_queries(
    client, alice, count, django_assert_num_queries
):
    _open(alice, count)
    client.force_login(alice)
    # Django's session, the user with our session, the other sessions.
    with django_assert_num_queries(3):
        body = client.get(URL).content.decode()
    assert body.count('class="session"') == count + 1


def test_shows_only_your_own_sessions(client, alice, bob):
    _open(bob, 1)
    client.force_login(alice)
    assert b"program-0" not in client.get(URL).content


def test_shows_the_one_in_use_first_and_marked(client, alice):
    _open(alice, 2)
    client.force_login(alice)
    body = client.get(URL).content.decode()
    assert body.count("This one") == 1
    assert body.index("This one") < body.index("program-1") < body.index("program-0")


def test_names_devices_and_keeps_what_they_claim_out_of_the_markup(client, alice):
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    Session.open(alice, ip="2001:db8::7", user_agent=firefox)
    Session.open(alice, ip=None, user_agent="<script>alert(1)</script>")
    Session.open(alice, ip=None, user_agent="")
    client.force_login(alice)
    body = client.get(URL).content.decode()
    assert "Firefox on Linux" in body
    assert "2001:db8::7" in body
    assert "<script>alert" not in body
    assert "Unknown program" in body
    assert "address unknown" in body


def test_a_long_list_says_that_it_is_cut(client, alice):
    _open(alice, 51)
    client.force_login(alice)
    body = client.get(URL).content.decode()
    assert body.count('class="session"') == 51
    assert "These are the 50 that were used last" in body


def test_admin_links_are_for_admins(client, alice, adam):
    client.force_login(alice)
    assert b"Django admin" not in client.get(URL).content
    client.force_login(adam)
    assert b"Django admin" in client.get(URL).content


def test_what_has_ended_vanishes(client, alice, clock, settings):
    """security.md 8."""
    settings.SESSION_IDLE_TTL = 3600
    client.force_login(alice)
    _open(alice, 1)
    clock.advance(1800)
    assert b"program-0" in client.get(URL).content
    clock.advance(1800)
    assert b"program-0" not in client.get(URL).content


def test_says_when_each_ends(client, alice, clock, settings):
    client.force_login(alice)
    assert "9 Mar 2026" in client.get(URL).content.decode()
    assert "unless it is used" not in client.get(URL).content.decode()
    settings.SESSION_IDLE_TTL = 3600
    body = client.get(URL).content.decode()
    assert "unless it is used" in body
    assert 'datetime="2026-03-02T10:30:00.000+00:00"' in body


def test_ending_the_others_spares_access_tokens_and_says_so(client, alice, clock):
    until = clock.now + timedelta(days=1)
    AccessToken.issue(alice, name="ci", scopes=["read"], expires_at=until)
    _open(alice, 1)
    client.force_login(alice)
    assert "Access tokens stay" in client.get(URL).content.decode()
    client.post("/profile/sessions/end-others")
    assert alice.sessions.count() == 1
    assert alice.access_tokens.count() == 1
