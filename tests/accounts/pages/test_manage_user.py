"""/manage/users/{id}, and what is done there."""

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import users
from accounts.models import AuditEntry, Session
from tests.factories import make_execution, make_key, make_user, make_workflow

LAST_ADMIN = "This is the last active administrator. Make somebody else one first."
POSTS = ("role", "activity", "sessions/end", f"sessions/{uuid.uuid4()}/end")


def url(user, *parts):
    return "/".join([f"/manage/users/{user.pk}", *map(str, parts)])


@pytest.fixture
def admin(client, adam):
    """Adam's browser."""
    client.force_login(adam)
    return client


def page(answer):
    assert answer.status_code == 200
    return answer.content.decode()


def test_who_it_is_and_what_is_theirs(admin, adam, alice):
    make_execution(make_workflow(alice))
    make_key(alice)
    Session.open(alice, ip="203.0.113.9", user_agent="curl/8.5")
    users.change_role(alice, "viewer", by=adam)

    said = page(admin.get(url(alice)))

    for text in ("alice@example.com", "curl", "203.0.113.9", "Reads the workflows that are shared"):
        assert text in said
    assert f'href="/manage/workflows?owner={alice.pk}"' in said
    assert f'href="/manage/executions?user={alice.pk}"' in said
    assert f'href="/manage/audit?actor={alice.pk}"' in said
    assert "Changed a role" in said
    assert "adam@example.com" in said
    assert 'value="viewer" checked' in said


def test_changing_the_role(admin, alice):
    answer = admin.post(url(alice, "role"), {"role": "admin"}, follow=True)

    assert "Alice Example is now an admin." in page(answer)
    alice.refresh_from_db()
    assert alice.is_admin
    entry = AuditEntry.objects.get(action="user.role_changed")
    assert (entry.actor_label, entry.data) == ("adam@example.com", {"old": "user", "new": "admin"})
    assert entry.ip == "127.0.0.1"


@pytest.mark.parametrize("role", ["", "root"], ids=["none", "unknown"])
def test_a_role_that_there_is_not(admin, alice, role):
    """security.md 3."""
    answer = admin.post(url(alice, "role"), {"role": role, "is_superuser": "on"}, follow=True)
    assert "Choose one of the roles." in page(answer)
    alice.refresh_from_db()
    assert (alice.role, alice.is_superuser) == ("user", False)


def test_deactivating_and_activating(admin, api, alice):
    program = api(alice)

    said = page(admin.post(url(alice, "activity"), {"active": "false"}, follow=True))
    assert "is deactivated and signed out everywhere" in said
    assert "Runs under way" not in said
    assert program.get("/api/auth/me").status_code == 401

    said = page(admin.post(url(alice, "activity"), {"active": "true"}, follow=True))
    assert "Alice Example may sign in again." in said
    assert "Runs under way go on to their end." in said
    alice.refresh_from_db()
    assert alice.is_active


def test_ending_one_session(admin, api, alice):
    first, second = api(alice), api(alice)
    pk = alice.sessions.order_by("created_at").first().pk

    assert "The session has ended." in page(
        admin.post(url(alice, "sessions", pk, "end"), follow=True)
    )

    assert first.get("/api/auth/me").status_code == 401
    assert second.get("/api/auth/me").status_code == 200


def test_a_session_of_somebody_else_is_not_ended_there(admin, api, alice, bob):
    api(bob)
    assert admin.post(url(alice, "sessions", bob.sessions.get().pk, "end")).status_code == 404
    assert bob.sessions.exists()


def test_ending_all_sessions(admin, api, alice):
    program = api(alice)
    said = page(admin.post(url(alice, "sessions/end"), follow=True))
    assert "1 session of Alice Example ended." in said
    assert "Nothing is signed in." in said
    assert program.get("/api/auth/me").status_code == 401


def test_the_last_admin_sees_why_nothing_can_be_done(admin, adam):
    said = page(admin.get(url(adam)))
    assert said.count(LAST_ADMIN) == 2
    assert '<fieldset class="roles" aria-labelledby="role" disabled' in said
    assert '<button class="btn danger" disabled' in said
    assert '<span class="chip plain">You</span>' in said


@pytest.mark.parametrize(
    ("where", "data"),
    [("role", {"role": "user"}), ("activity", {"active": "false"})],
    ids=["role", "activity"],
)
def test_the_last_admin_stays(admin, adam, where, data):
    answer = admin.post(url(adam, where), data)
    assert answer.status_code == 409
    assert LAST_ADMIN in answer.content.decode()
    adam.refresh_from_db()
    assert (adam.role, adam.is_active) == ("admin", True)


def test_stepping_down(admin, adam):
    make_user("ada@example.com", role="admin")
    assert LAST_ADMIN not in page(admin.get(url(adam)))
    assert admin.post(url(adam, "role"), {"role": "user"})["Location"] == "/dashboard"
    assert admin.get(url(adam)).status_code == 403


@pytest.mark.parametrize(
    ("where", "data"), [("activity", {"active": "false"}), ("sessions/end", {})]
)
def test_signing_oneself_out(admin, adam, where, data):
    make_user("ada@example.com", role="admin")
    assert admin.post(url(adam, where), data)["Location"] == "/signin"
    assert admin.get("/manage/users").status_code == 302
    assert not adam.sessions.exists()


def test_an_old_sign_in_gives_the_password_first(admin, adam, alice):
    """security.md 10: looking is free, every change wants a recent sign-in."""
    adam.sessions.update(authenticated_at=timezone.now() - timedelta(minutes=16))
    Session.open(alice, ip=None, user_agent="")
    data = {"role": "admin", "active": "false"}

    assert admin.get(url(alice)).status_code == 200
    for where in (*POSTS[:3], f"sessions/{alice.sessions.get().pk}/end"):
        answer = admin.post(url(alice, where), data)
        assert answer.status_code == 403
        assert 'name="password"' in answer.content.decode()

    alice.refresh_from_db()
    assert (alice.role, alice.is_active, alice.sessions.count()) == ("user", True, 1)


def test_names_are_escaped(admin):
    eve = make_user("eve@example.com", name='"><script>alert(1)</script>')
    assert "<script>alert" not in page(admin.get(url(eve)))


@pytest.mark.parametrize("who", ["alice", "vera"])
def test_other_roles_are_refused(request, who, bob):
    me = request.getfixturevalue(who)
    client = Client()
    client.force_login(me)
    assert client.get(url(bob)).status_code == 403
    for where in POSTS:
        data = {"role": "admin", "active": "false"}
        assert client.post(url(me, where), data).status_code == 403
    me.refresh_from_db()
    assert me.role != "admin"


def test_strangers_sign_in_first(client, alice):
    assert client.get(url(alice))["Location"].startswith("/signin?next=")
    for where in POSTS:
        assert client.post(url(alice, where))["Location"].startswith("/signin?next=")


def test_nobody(admin, adam):
    missing = f"/manage/users/{uuid.uuid4()}"
    assert admin.get(missing).status_code == 404
    for where in POSTS:
        assert admin.post(f"{missing}/{where}", {"role": "user"}).status_code == 404


def test_other_methods_are_refused(admin, alice):
    assert admin.post(url(alice)).status_code == 405
    for where in POSTS:
        assert admin.get(url(alice, where)).status_code == 405


def test_queries_do_not_grow_with_sessions(admin, alice, django_assert_num_queries):
    def look():
        # The session, the user; who it is, sessions, three kinds of things, tokens; the log twice.
        with django_assert_num_queries(10):
            admin.get(url(alice))

    look()
    for _ in range(5):
        Session.open(alice, ip=None, user_agent="")
        make_workflow(alice)
    look()
