"""GET and PATCH /api/auth/me."""

import pytest
from django.core import mail

from accounts import links
from accounts.models import Action, AuditEntry
from tests.accounts.letters import token_in
from tests.factories import make_token

URL = "/api/auth/me"


def test_who_is_signed_in(api, alice):
    """security.md 4: these keys and no others."""
    answer = api(alice).get(URL)

    assert answer.status_code == 200
    assert answer.json() == {
        "id": str(alice.pk),
        "email": "alice@example.com",
        "email_verified": False,
        "name": "Alice Example",
        "role": "user",
        "is_active": True,
        "created_at": alice.created_at.isoformat().replace("+00:00", "Z"),
        "last_login_at": None,
    }


def test_a_new_name(api, alice):
    answer = api(alice).patch(URL, {"name": "  Alice Ex  "})

    assert answer.status_code == 200
    assert answer.json()["name"] == "Alice Ex"
    alice.refresh_from_db()
    assert alice.name == "Alice Ex"


def test_a_viewer_may_change_the_own_name(api, vera):
    assert api(vera).patch(URL, {"name": "V"}).status_code == 200


def test_nothing_to_change(api, alice):
    assert api(alice).patch(URL, {}).json()["name"] == "Alice Example"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("role", "admin", "read_only"),
        ("is_active", True, "read_only"),
        ("email_verified", True, "read_only"),
        ("email_verified_at", "2026-01-01T00:00:00Z", "unknown_field"),
        ("id", "0", "read_only"),
        ("is_staff", True, "unknown_field"),
        ("is_superuser", True, "unknown_field"),
        ("password", "x", "unknown_field"),
    ],
)
def test_everything_else_is_refused(api, alice, field, value, code):
    """security.md 3."""
    answer = api(alice).patch(URL, {"name": "changed", field: value})

    assert answer.status_code == 400
    assert answer.json()["details"]["errors"][0]["path"] == field
    assert answer.json()["details"]["errors"][0]["code"] == code
    alice.refresh_from_db()
    assert (alice.name, alice.role) == ("Alice Example", "user")


@pytest.mark.parametrize("name", [None, 7, True, [], "x" * 151])
def test_bad_names(api, alice, name):
    assert api(alice).patch(URL, {"name": name}).status_code == 400


def test_anonymous(api, db):
    assert api().get(URL).status_code == 401
    assert api().patch(URL, {"name": "x"}).status_code == 401


@pytest.mark.parametrize("method", ["put", "post", "delete"])
def test_other_methods(api, alice, method):
    assert getattr(api(alice), method)(URL).status_code == 405


def test_another_address_holds_at_once_and_is_unproven(api, alice, clock):
    alice.email_verified_at = clock.now
    alice.save()

    answer = api(alice).patch(URL, {"email": "Alice@New.example", "name": "Al"})

    assert answer.status_code == 200
    body = answer.json()
    assert (body["email"], body["email_verified"], body["name"]) == (
        "alice@new.example",
        False,
        "Al",
    )
    alice.refresh_from_db()
    assert (alice.email, alice.email_verified_at) == ("alice@new.example", None)


def test_another_address_gets_a_link_and_the_old_one_a_notice(api, alice):
    api(alice).patch(URL, {"email": "alice@new.example"})

    notice, link = mail.outbox
    assert (notice.to, notice.subject) == (
        ["alice@example.com"],
        "Your HUMMBL e-mail address was changed",
    )
    assert "alice@new.example" in notice.body
    assert "token" not in notice.body
    assert link.to == ["alice@new.example"]
    assert api().post("/api/auth/verify", {"token": token_in(link)}).status_code == 204


def test_another_address_is_noted(api, alice):
    api(alice).patch(URL, {"email": "alice@new.example"})

    (entry,) = AuditEntry.objects.filter(action=Action.EMAIL_CHANGED)
    assert entry.data == {"old": "alice@example.com", "new": "alice@new.example"}
    assert (entry.actor_id, entry.object_id) == (alice.pk, alice.pk)


def test_another_address_wants_a_recent_sign_in(api, alice, clock):
    """security.md 10"""
    client = api(alice)
    clock.advance(15 * 60)

    answer = client.patch(URL, {"email": "alice@new.example", "name": "Al"})

    assert (answer.status_code, answer.json()["code"]) == (403, "reauthentication_required")
    alice.refresh_from_db()
    assert (alice.email, alice.name) == ("alice@example.com", "Alice Example")
    assert client.patch(URL, {"name": "Al"}).status_code == 200


def test_an_access_token_changes_no_address(api, alice):
    _, secret = make_token(alice, "read", "write")
    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")

    answer = client.patch(URL, {"email": "alice@new.example"})

    assert (answer.status_code, answer.json()["code"]) == (403, "token_not_allowed")


@pytest.mark.parametrize("email", ["bob@example.com", "BOB@example.com"], ids=["same", "case"])
def test_a_taken_address(api, alice, bob, email):
    answer = api(alice).patch(URL, {"email": email})

    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"
    assert mail.outbox == []
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    "email", ["alice@example.com", " ALICE@example.com "], ids=["same", "case"]
)
def test_the_own_address_changes_nothing(api, alice, clock, email):
    alice.email_verified_at = clock.now
    alice.save()

    assert api(alice).patch(URL, {"email": email}).json()["email_verified"] is True
    assert mail.outbox == []


@pytest.mark.parametrize(
    "email",
    [
        "nobody",
        "",
        None,
        7,
        "a" * 250 + "@example.com",
        "al\u0131ce@example.com",
        "a@b.example\nBcc: x",
    ],
    ids=["no-at", "empty", "null", "number", "long", "dotless-i", "header"],
)
def test_bad_addresses(api, alice, email):
    answer = api(alice).patch(URL, {"email": email})

    assert answer.status_code == 400
    assert answer.json()["details"]["errors"][0]["path"] == "email"


def test_only_listed_domains_but_for_admins(api, alice, adam, settings):
    settings.REGISTRATION_DOMAINS = ["good.example"]

    answer = api(alice).patch(URL, {"email": "alice@evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (403, "registration_domain")
    assert api(alice).patch(URL, {"email": "alice@good.example"}).status_code == 200
    assert api(adam).patch(URL, {"email": "adam@evil.example"}).status_code == 200


def test_new_addresses_are_limited_by_user(api, alice, bob, limits):
    """No list of who has an account: the limit counts the asker, whatever is asked for."""
    limits(AUTH="2/m")
    client = api(alice)
    taken = {"email": bob.email}

    assert [client.patch(URL, taken).status_code for _ in range(3)] == [409, 409, 429]
    assert client.patch(URL, {"name": "Al"}).status_code == 200


def test_a_link_to_the_old_address_is_dead_after_the_change(api, alice):
    old, reset = links.verification.token(alice), links.reset.token(alice)
    api(alice).patch(URL, {"email": "alice@new.example"})

    assert api().post("/api/auth/verify", {"token": old}).status_code == 400
    body = {"token": reset, "new_password": "an entirely new phrase"}
    assert api().post("/api/auth/reset/confirm", body).status_code == 400
