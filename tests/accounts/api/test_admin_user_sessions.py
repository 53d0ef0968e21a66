"""DELETE /api/admin/users/{id}/sessions."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AccessToken, AuditEntry


def url(user):
    return f"/api/admin/users/{user.pk}/sessions"


def test_ends_every_session_of_that_user(api, adam, alice, bob):
    hers, his = api(alice), api(bob)
    also_hers = api(alice)

    assert api(adam).delete(url(alice)).status_code == 204

    assert hers.get("/api/auth/me").status_code == 401
    assert also_hers.get("/api/auth/me").status_code == 401
    assert his.get("/api/auth/me").status_code == 200
    entry = AuditEntry.objects.get(action="session.all_ended")
    assert (entry.actor_label, entry.object_id, entry.data) == (adam.email, alice.pk, {"ended": 2})


def test_one_s_own_too(api, adam):
    client = api(adam)
    assert client.delete(url(adam)).status_code == 204
    assert client.get("/api/auth/me").status_code == 401


def test_an_old_sign_in_asks_for_the_password_first(api, adam, alice):
    """security.md 10."""
    client, hers = api(adam), api(alice)
    adam.sessions.update(authenticated_at=timezone.now() - timedelta(minutes=16))
    answer = client.delete(url(alice))
    assert (answer.status_code, answer.json()["code"]) == (403, "reauthentication_required")
    assert hers.get("/api/auth/me").status_code == 200


def test_not_with_an_access_token(api, adam, alice):
    _, secret = AccessToken.issue(
        adam,
        name="t",
        scopes=["read", "write", "admin"],
        expires_at=timezone.now() + timedelta(days=1),
    )
    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert client.delete(url(alice)).json()["code"] == "token_not_allowed"


def test_nobody(api, adam):
    assert api(adam).delete(f"/api/admin/users/{uuid.uuid4()}/sessions").status_code == 404


def test_anonymous(api, alice):
    assert api().delete(url(alice)).status_code == 401


@pytest.mark.parametrize("who", ["alice", "vera"])
def test_other_roles(api, request, who, bob):
    answer = api(request.getfixturevalue(who)).delete(url(bob))
    assert (answer.status_code, answer.json()["code"]) == (403, "admin_only")


def test_other_methods(api, adam, alice):
    assert api(adam).get(url(alice)).status_code == 405
