"""/reset and /reset/sent"""

import pytest
from django.core import mail
from django.test import Client

from tests.accounts.letters import letter, link_in

URL = "/reset"


def test_sends_a_link(client, alice):
    response = client.post(URL, {"email": alice.email})
    assert response["Location"] == "/reset/sent"
    assert link_in(letter()).startswith("http://testserver/reset/confirm?token=")
    assert "If there is an account" in client.get("/reset/sent").content.decode()


def test_says_the_same_of_every_address(client, alice, bob):
    """security.md 7: neither the answer nor the page after it tells who has an account."""
    bob.is_active = False
    bob.save()
    seen = set()
    for email in (alice.email, bob.email, "nobody@example.com"):
        response = Client().post(URL, {"email": email})
        seen.add((response.status_code, response["Location"], response.content))
    assert len(seen) == 1
    assert [message.to for message in mail.outbox] == [["alice@example.com"]]


def test_is_linked_where_a_password_is_asked_for(client, alice):
    assert b'href="/reset"' in client.get("/signin").content
    client.force_login(alice)
    assert b'href="/reset"' in client.get("/profile/password").content


def test_knows_who_is_signed_in(client, alice):
    client.force_login(alice)
    assert b'value="alice@example.com"' in client.get(URL).content


@pytest.mark.django_db
@pytest.mark.parametrize("email", ["", "nonsense", "x" * 255 + "@example.com"])
def test_wrong_input(client, email):
    response = client.post(URL, {"email": email})
    assert response.status_code == 422
    assert b'id="id_email_error"' in response.content


def test_is_limited(client, alice, limits):
    limits(AUTH="1/m")
    assert client.post(URL, {"email": alice.email}).status_code == 302
    response = client.post(URL, {"email": alice.email})
    assert response.status_code == 429
    assert "Retry-After" in response


def test_a_forged_host_is_refused_and_reaches_no_mail(client, alice):
    assert client.post(URL, {"email": alice.email}, HTTP_HOST="evil.example").status_code == 400
    assert mail.outbox == []


@pytest.mark.django_db
def test_needs_a_csrf_token():
    response = Client(enforce_csrf_checks=True).post(URL, {"email": "a@example.com"})
    assert response.status_code == 403


@pytest.mark.django_db
def test_wrong_method(client):
    assert client.delete(URL).status_code == 405
    assert client.post("/reset/sent").status_code == 405
