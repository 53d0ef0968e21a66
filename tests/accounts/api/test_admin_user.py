"""GET, PATCH /api/admin/users/{id}."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AccessToken, AuditEntry, Session
from tests.factories import PASSWORD, make_execution, make_user, make_workflow
from workflows.models import Execution


def url(user):
    return f"/api/admin/users/{user.pk}"


def code(answer):
    return answer.status_code, answer.json()["code"]


def noted(user):
    entries = AuditEntry.objects.filter(object_id=user.pk).order_by("id")
    return [(entry.actor_label, entry.action, entry.data) for entry in entries]


def program(api, user, *scopes):
    """A client with an access token of that user."""
    _, secret = AccessToken.issue(
        user, name="t", scopes=scopes, expires_at=timezone.now() + timedelta(days=1)
    )
    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def test_one_user(api, adam, alice):
    row = api(adam).get(url(alice)).json()
    assert (row["email"], row["role"], row["sessions"]) == ("alice@example.com", "user", 0)


def test_a_role_holds_from_the_next_request_on(api, adam, alice):
    client = api(alice)
    assert client.get("/api/admin/users").status_code == 403

    answer = api(adam).patch(url(alice), {"role": "admin"}, format="json")

    assert (answer.status_code, answer.json()["role"]) == (200, "admin")
    assert client.get("/api/admin/users").status_code == 200
    assert noted(alice) == [
        ("adam@example.com", "user.role_changed", {"old": "user", "new": "admin"})
    ]
    api(adam).patch(url(alice), {"role": "viewer"}, format="json")
    assert client.get("/api/admin/users").status_code == 403
    alice.refresh_from_db()
    assert not alice.is_superuser


def test_deactivating_ends_everything_at_once(api, adam, alice):
    bearer, token = api(alice), program(api, alice, "read")
    run = make_execution(make_workflow(alice))

    answer = api(adam).patch(url(alice), {"is_active": False}, format="json")

    assert (answer.json()["is_active"], answer.json()["sessions"]) == (False, 0)
    assert bearer.get("/api/auth/me").status_code == 401
    assert token.get("/api/auth/me").status_code == 401
    login = {"email": alice.email, "password": PASSWORD}
    assert code(api().post("/api/auth/login", login)) == (401, "bad_credentials")
    assert noted(alice)[0] == ("adam@example.com", "user.deactivated", {})
    # Runs under way go on.
    assert Execution.objects.get(pk=run.pk).status == "pending"


def test_activating_brings_no_session_back(api, adam, alice):
    token = program(api, alice, "read")
    client = api(adam)
    client.patch(url(alice), {"is_active": False}, format="json")
    late, _ = Session.open(alice, ip=None, user_agent="")  # a sign-in that was under way

    answer = client.patch(url(alice), {"is_active": True}, format="json")

    assert answer.json()["is_active"] is True
    assert not Session.objects.filter(pk=late.pk).exists()
    assert token.get("/api/auth/me").status_code == 200
    assert [action for _, action, _ in noted(alice)] == ["user.deactivated", "user.activated"]


def test_what_does_not_change_is_not_noted(api, adam, alice):
    client = api(adam)
    for body in ({}, {"role": "user"}, {"is_active": True}):
        assert client.patch(url(alice), body, format="json").status_code == 200
    assert noted(alice) == []


@pytest.mark.parametrize(
    "body",
    [
        {"role": "user"},
        {"role": "viewer"},
        {"is_active": False},
        {"role": "user", "is_active": True},
    ],
    ids=["user", "viewer", "inactive", "both"],
)
def test_the_last_active_admin_stays(api, adam, body):
    other = make_user("other@example.com", role="admin", is_active=False)

    assert code(api(adam).patch(url(adam), body, format="json")) == (409, "last_admin")

    adam.refresh_from_db()
    assert (adam.role, adam.is_active) == ("admin", True)
    # One who is not active may be anything.
    assert api(adam).patch(url(other), {"role": "user"}, format="json").status_code == 200


def test_all_or_nothing(api, adam, alice):
    """The role of a body that is refused for its other half is not changed either."""
    answer = api(adam).patch(url(alice), {"role": "admin", "is_active": "no"}, format="json")
    assert answer.status_code == 400
    alice.refresh_from_db()
    assert alice.role == "user"


def test_one_of_two_admins_may_demote_themselves(api, adam):
    make_user("ada@example.com", role="admin")
    client = api(adam)
    assert client.patch(url(adam), {"role": "user"}, format="json").json()["role"] == "user"
    assert code(client.patch(url(adam), {"role": "admin"}, format="json")) == (403, "admin_only")


@pytest.mark.parametrize(
    "field",
    [
        *("id", "email", "name", "email_verified", "created_at", "last_login_at", "sessions"),
        *("password", "is_staff", "is_superuser", "email_verified_at", "owner", "user", "status"),
    ],
)
def test_other_fields_are_refused(api, adam, alice, field):
    """security.md 3: a posted field that only the server sets, or that is not there, is a 400."""
    before = dict(type(alice).objects.filter(pk=alice.pk).values()[0])

    answer = api(adam).patch(url(alice), {field: True, "role": "admin"}, format="json")

    assert answer.status_code == 400
    assert answer.json()["details"]["errors"][0]["path"] == field
    assert type(alice).objects.filter(pk=alice.pk).values()[0] == before


@pytest.mark.parametrize(
    "body",
    [
        {"role": "root"},
        {"role": None},
        {"role": ""},
        {"is_active": "true"},
        {"is_active": None},
        [],
    ],
    ids=["role", "no-role", "empty-role", "text", "null", "list"],
)
def test_values_that_make_no_sense(api, adam, alice, body):
    assert api(adam).patch(url(alice), body, format="json").status_code == 400


def test_nobody(api, adam):
    missing = f"/api/admin/users/{uuid.uuid4()}"
    assert api(adam).get(missing).status_code == 404
    assert api(adam).patch(missing, {"role": "nonsense"}, format="json").status_code == 404


def test_anonymous(api, alice):
    assert api().get(url(alice)).status_code == 401
    assert api().patch(url(alice), {"role": "admin"}, format="json").status_code == 401


@pytest.mark.parametrize("who", ["alice", "vera"])
def test_other_roles(api, request, who, bob):
    me = request.getfixturevalue(who)
    client = api(me)
    assert code(client.get(url(bob))) == (403, "admin_only")
    assert code(client.patch(url(me), {"role": "admin"}, format="json")) == (403, "admin_only")


def test_an_old_sign_in_asks_for_the_password_first(api, adam, alice):
    """security.md 10: a change of a role wants a recent sign-in; reading does not."""
    client = api(adam)
    adam.sessions.update(authenticated_at=timezone.now() - timedelta(minutes=16))

    assert client.get(url(alice)).status_code == 200
    answer = client.patch(url(alice), {"role": "admin"}, format="json")

    assert code(answer) == (403, "reauthentication_required")
    alice.refresh_from_db()
    assert alice.role == "user"


def test_an_access_token_never_writes(api, adam, alice):
    client = program(api, adam, "read", "write", "run", "admin")
    assert client.get(url(alice)).status_code == 200
    answer = client.patch(url(alice), {"role": "admin"}, format="json")
    assert code(answer) == (403, "token_not_allowed")


def test_other_methods(api, adam, alice):
    assert api(adam).put(url(alice), {}, format="json").status_code == 405
    assert api(adam).delete(url(alice)).status_code == 405
