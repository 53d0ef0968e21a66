"""/profile/email"""

from django.core import mail
from django.test import Client

from accounts.models import Action, AuditEntry, User

URL = "/profile/email"
NEW = "alice@new.example"


def test_changes_the_address(client, alice):
    client.force_login(alice)
    response = client.post(URL, {"email": NEW}, follow=True)
    assert response.redirect_chain == [("/profile", 302)]
    body = response.content.decode()
    assert f"Your address is {NEW} now." in body
    assert "Not verified" in body
    alice.refresh_from_db()
    assert (alice.email, alice.email_verified) == (NEW, False)
    assert [message.to for message in mail.outbox] == [["alice@example.com"], [NEW]]
    assert AuditEntry.objects.filter(action=Action.EMAIL_CHANGED).count() == 1


def test_wants_a_recent_sign_in(client, alice, clock):
    """security.md 10"""
    client.force_login(alice)
    clock.advance(15 * 60)
    assert client.get(URL)["Location"].startswith("/reauthenticate?")
    client.post(URL, {"email": NEW})
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"


def test_a_taken_address_is_said_at_its_field(client, alice, bob):
    client.force_login(alice)
    response = client.post(URL, {"email": "BOB@example.com"})
    assert response.status_code == 409
    assert b'id="id_email_error"' in response.content
    assert b"Choose another one." in response.content
    assert b"It is alice@example.com." in response.content
    assert mail.outbox == []


def test_a_refused_domain_is_said_at_its_field(client, alice, settings):
    settings.REGISTRATION_DOMAINS = ["good.example"]
    client.force_login(alice)
    response = client.post(URL, {"email": "alice@sub.good.example"})
    assert response.status_code == 403
    assert b'id="id_email_error"' in response.content


def test_wrong_input(client, alice):
    client.force_login(alice)
    for email in ("", "nonsense", "a" * 255 + "@example.com"):
        assert client.post(URL, {"email": email}).status_code == 422


def test_is_limited_by_user(client, alice, bob, limits):
    limits(AUTH="1/m")
    client.force_login(alice)
    assert client.post(URL, {"email": bob.email}).status_code == 409
    assert client.post(URL, {"email": NEW}).status_code == 429


def test_nothing_else_can_be_posted(client, alice):
    """security.md 3"""
    client.force_login(alice)
    client.post(URL, {"email": NEW, "role": "admin", "email_verified_at": "2026-01-01"})
    found = User.objects.get(pk=alice.pk)
    assert (found.role, found.email_verified_at) == ("user", None)


def test_strangers_sign_in_first(client, db):
    assert client.get(URL)["Location"] == f"/signin?next={URL}"


def test_needs_a_csrf_token(alice):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert strict.post(URL, {"email": NEW}).status_code == 403


def test_wrong_method(client, alice):
    client.force_login(alice)
    assert client.put(URL).status_code == 405
