"""Access tokens in the Django admin: to look at and to delete."""

import pytest

from accounts.models import AccessToken, AuditEntry
from tests.factories import make_token

URL = "/admin/accounts/accesstoken/"


@pytest.fixture
def browser(client, adam):
    client.force_login(adam)
    return client


def test_it_shows_whose_they_are_and_neither_secret_nor_digest(browser, alice):
    """security.md 14: a canary."""
    token, secret = make_token(alice, "read", "run", name="Nightly")

    for path in (URL, f"{URL}?q=nightly", f"{URL}?q=alice", f"{URL}{token.pk}/change/"):
        body = browser.get(path).content.decode()
        assert "Nightly" in body
        assert "read run" in body
        assert alice.email in body
        assert secret not in body
        assert token.digest not in body


def test_nothing_can_be_made_or_changed(browser, alice):
    token, _ = make_token(alice)

    assert browser.get(f"{URL}add/").status_code == 403
    assert browser.post(f"{URL}{token.pk}/change/", {"scope": "admin"}).status_code == 403
    token.refresh_from_db()
    assert token.scopes == ["read"]


def test_deleting_one_is_in_the_audit_log(browser, alice, adam, bearer):
    token, secret = make_token(alice, name="Leaked")

    browser.post(f"{URL}{token.pk}/delete/", {"post": "yes"})

    assert bearer(secret).get("/api/auth/me").status_code == 401
    entry = AuditEntry.objects.get(action="token.deleted")
    assert (entry.actor_id, entry.object_label) == (adam.pk, "Leaked")
    assert entry.data == {"owner": str(alice.pk)}
    assert not AuditEntry.objects.filter(action="admin.changed").exists()


def test_deleting_several(browser, alice, bob):
    made = [make_token(user)[0] for user in (alice, bob, bob)]
    chosen = [token.pk for token in made[:2]]

    browser.post(URL, {"action": "delete_selected", "_selected_action": chosen, "post": "yes"})

    assert list(AccessToken.objects.all()) == [made[2]]
    assert AuditEntry.objects.filter(action="token.deleted").count() == 2


@pytest.mark.parametrize("who", ["alice", "vera"])
def test_nobody_else_gets_in(client, who, request):
    client.force_login(request.getfixturevalue(who))

    assert client.get(URL, follow=True).status_code == 403
