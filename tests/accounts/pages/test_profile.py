"""/profile"""

import pytest
from django.test import Client

from accounts.models import Session, User

URL = "/profile"


def test_shows_who_you_are(client, vera):
    client.force_login(vera)
    body = client.get(URL).content.decode()
    assert "Vera Example" in body
    assert "vera@example.com" in body
    assert "reads what is shared" in body
    assert "No program is signed in as you" in body


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
        Session.open(user, ip="127.0.0.1", user_agent=f"program {number}")


@pytest.mark.parametrize("count", [1, 12])
def test_lists_sessions_in_a_constant_number_of_queries(
    client, alice, count, django_assert_num_queries
):
    _open(alice, count)
    client.force_login(alice)
    # The browser's session, the user, the bearer sessions.
    with django_assert_num_queries(3):
        body = client.get(URL).content.decode()
    assert body.count('class="session"') == count


def test_shows_only_your_own_sessions(client, alice, bob):
    _open(bob, 1)
    client.force_login(alice)
    assert b"program 0" not in client.get(URL).content


def test_admin_links_are_for_admins(client, alice, adam):
    client.force_login(alice)
    assert b"Django admin" not in client.get(URL).content
    client.force_login(adam)
    assert b"Django admin" in client.get(URL).content
