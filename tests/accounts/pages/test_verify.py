"""/verify?token= and the button on the profile that sends another link"""

import pytest
from django.core import mail
from django.test import Client

from accounts import links
from tests.accounts.letters import letter, path_in

SEND = "/profile/email/verify"


@pytest.fixture
def page(alice):
    """The address in a fresh link of Alice."""
    return f"/verify?token={links.verification.token(alice)}"


def test_opening_the_link_changes_nothing(client, alice, page):
    """Programs that scan mails follow every link."""
    for _ in range(2):
        response = client.get(page)
        assert response.status_code == 200
        assert "alice@example.com" in response.content.decode()
    client.head(page)
    alice.refresh_from_db()
    assert not alice.email_verified


def test_the_button_verifies(client, alice, page):
    assert client.post(page)["Location"] == "/signin"
    alice.refresh_from_db()
    assert alice.email_verified


def test_its_owner_goes_on_to_the_profile(client, alice, page):
    client.force_login(alice)
    response = client.post(page, follow=True)
    assert response.redirect_chain == [("/profile", 302)]
    body = response.content.decode()
    assert "alice@example.com is verified." in body
    assert "Not verified" not in body


def test_somebody_else_stays_who_they_are(client, bob, page):
    client.force_login(bob)
    client.post(page)
    bob.refresh_from_db()
    assert not bob.email_verified


def test_a_used_link_is_explained(client, alice, page):
    client.post(page)
    for response in (client.get(page), client.post(page)):
        assert response.status_code == 400
        assert "This link no longer works" in response.content.decode()
    client.force_login(alice)
    assert "Your address is verified" in client.get(page).content.decode()


def test_an_expired_link_is_explained(client, alice, clock):
    page = f"/verify?token={links.verification.token(alice)}"
    clock.advance(24 * 3600 + 1)
    client.force_login(alice)
    response = client.get(page)
    assert response.status_code == 400
    assert 'href="/profile"' in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["", "x", "%00", "%ED%A0%80"])
def test_any_other_link_is_explained(client, token):
    assert client.get(f"/verify?token={token}").status_code == 400
    assert client.post(f"/verify?token={token}").status_code == 400


def test_nothing_keeps_the_page_or_tells_its_address(client, page):
    for response in (client.get(page), client.get("/verify?token=x"), client.post(page)):
        assert "no-store" in response["Cache-Control"]
        assert response["Referrer-Policy"] == "strict-origin"


def test_the_profile_sends_a_new_link(client, alice):
    client.force_login(alice)
    assert "Not verified" in client.get("/profile").content.decode()
    response = client.post(SEND, follow=True)
    assert "on its way to alice@example.com" in response.content.decode()
    assert client.post(path_in(letter())).status_code == 302
    assert SEND not in client.get("/profile").content.decode()


def test_a_verified_address_gets_no_link(client, alice, clock):
    alice.email_verified_at = clock.now
    alice.save()
    client.force_login(alice)
    response = client.post(SEND, follow=True)
    assert "verified already" in response.content.decode()
    assert mail.outbox == []


def test_sending_is_limited(client, alice, limits):
    limits(AUTH="1/m")
    client.force_login(alice)
    assert [client.post(SEND).status_code for _ in range(2)] == [302, 429]


def test_strangers_sign_in_first(client, db):
    assert client.post(SEND)["Location"] == f"/signin?next={SEND}"


def test_needs_a_csrf_token(alice, page):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert strict.post(page).status_code == 403
    assert strict.post(SEND).status_code == 403


def test_wrong_method(client, alice, page):
    client.force_login(alice)
    assert client.put(page).status_code == 405
    assert client.get(SEND).status_code == 405
