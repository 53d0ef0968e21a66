"""The Django admin: who gets in, and what it shows of users and sessions."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import users
from accounts.models import AuditEntry, User
from tests.accounts.admin_forms import user_form
from tests.factories import PASSWORD, make_execution, make_user, make_workflow

USERS = "/admin/accounts/user/"
SESSIONS = "/admin/accounts/session/"


@pytest.fixture
def browser(adam):
    client = Client()
    client.force_login(adam)
    return client


def noted(user):
    entries = AuditEntry.objects.filter(object_id=user.pk).order_by("id")
    return [(entry.actor_label, entry.action, entry.data) for entry in entries]


def test_signing_in_is_the_business_of_our_page(client, db):
    assert client.get("/admin/", follow=True).redirect_chain[-1][0] == "/signin?next=%2Fadmin%2F"
    assert client.post("/admin/login/", {"username": "x", "password": "y"}).status_code == 302


def test_admins_come_back_to_the_admin(client, adam):
    answer = client.post(
        "/signin", {"email": adam.email, "password": PASSWORD, "next": "/admin/"}, follow=True
    )

    assert answer.redirect_chain == [("/admin/", 302)]
    assert answer.status_code == 200


@pytest.mark.parametrize("who", ["alice", "vera"])
def test_nobody_else_gets_in(client, who, request):
    client.force_login(request.getfixturevalue(who))

    assert client.get("/admin/", follow=True).status_code == 403
    assert client.get(USERS, follow=True).status_code == 403


def test_an_admin_who_is_deactivated_is_out_at_once(browser, adam):
    adam.is_active = False
    adam.save()

    assert browser.get("/admin/").status_code == 302


def test_signing_out_of_the_admin_ends_the_session(browser, adam):
    assert browser.get("/admin/logout/").status_code == 405
    assert browser.post("/admin/logout/")["Location"] == "/"
    assert browser.get("/admin/").status_code == 302
    assert not adam.sessions.exists()


def test_passwords_are_changed_on_our_page(browser):
    assert browser.get("/admin/password_change/")["Location"] == "/profile/password"


def test_the_hash_is_shown_nowhere(browser, alice, adam):
    for url in (USERS, f"{USERS}{alice.pk}/change/", f"{USERS}{adam.pk}/change/"):
        page = browser.get(url)
        assert page.status_code == 200
        assert alice.password not in page.content.decode()
        assert adam.password not in page.content.decode()


def test_a_new_user(browser):
    answer = browser.post(
        f"{USERS}add/",
        {
            "email": "New@Example.com",
            "name": "",
            "role": "viewer",
            "is_active": "on",
            "new_password": "an entirely new phrase",
        },
    )

    assert answer.status_code == 302
    user = User.objects.get(email="new@example.com")
    assert (user.role, user.is_staff) == ("viewer", False)
    assert user.check_password("an entirely new phrase")
    assert user.email_verified
    assert noted(user) == [("adam@example.com", "user.created", {"role": "viewer"})]


@pytest.mark.parametrize(
    "changes",
    [{"new_password": ""}, {"new_password": "short"}, {"email": "ALICE@example.com"}],
)
def test_a_new_user_who_is_refused(browser, alice, changes):
    data = {"email": "n@example.com", "role": "user", "new_password": "an entirely new phrase"}

    assert browser.post(f"{USERS}add/", data | changes).status_code == 200
    assert User.objects.count() == 2


def test_a_new_role(browser, alice):
    browser.post(f"{USERS}{alice.pk}/change/", user_form(alice, role="admin"))

    alice.refresh_from_db()
    assert alice.is_superuser
    assert alice.check_password(PASSWORD)
    assert noted(alice) == [
        ("adam@example.com", "user.role_changed", {"old": "user", "new": "admin"})
    ]


def test_another_address_counts_as_verified_and_the_old_one_is_told(
    browser, alice, mailoutbox, django_capture_on_commit_callbacks
):
    User.objects.filter(pk=alice.pk).update(email_verified_at=None)
    with django_capture_on_commit_callbacks(execute=True):
        browser.post(
            f"{USERS}{alice.pk}/change/",
            user_form(alice, email="New@example.com", name="Alice New"),
        )

    alice.refresh_from_db()
    assert (alice.email, alice.name) == ("new@example.com", "Alice New")
    assert alice.email_verified
    actions = {action: data for _, action, data in noted(alice)}
    assert actions == {
        "user.email_changed": {"old": "alice@example.com", "new": "new@example.com"},
        "user.changed": {"fields": ["name"]},
    }


def test_saving_what_is_there_changes_nothing(browser, alice, api):
    program = api(alice)
    browser.post(f"{USERS}{alice.pk}/change/", user_form(alice))
    assert noted(alice) == []
    assert program.get("/api/auth/me").status_code == 200


def test_an_old_sign_in_gives_the_password_first(browser, adam, alice):
    """security.md 10: roles, activity and deletion in the Django admin, too."""
    adam.sessions.update(authenticated_at=timezone.now() - timedelta(minutes=16))

    answer = browser.post(f"{USERS}{alice.pk}/change/", user_form(alice, role="admin"))
    assert "password" in answer.content.decode().lower()
    browser.post(f"{USERS}{alice.pk}/delete/", {"post": "yes"})

    alice.refresh_from_db()
    assert alice.role == "user"


def test_a_new_password_ends_the_user_s_sessions(browser, api, alice):
    program = api(alice)

    browser.post(
        f"{USERS}{alice.pk}/change/", user_form(alice, new_password="an entirely new phrase")
    )

    alice.refresh_from_db()
    assert alice.check_password("an entirely new phrase")
    assert program.get("/api/auth/me").status_code == 401


def test_deactivating_ends_the_sessions_for_good(browser, api, alice):
    program = api(alice)
    changes = user_form(alice)
    del changes["is_active"]

    browser.post(f"{USERS}{alice.pk}/change/", changes)

    assert program.get("/api/auth/me").status_code == 401
    assert not alice.sessions.exists()


def test_the_last_admin_stays(browser, adam):
    inactive = user_form(adam)
    del inactive["is_active"]
    for changes in (user_form(adam, role="user"), inactive):
        page = browser.post(f"{USERS}{adam.pk}/change/", changes)
        assert "last active administrator" in page.content.decode()
    assert browser.post(f"{USERS}{adam.pk}/delete/", {"post": "yes"}).status_code == 403

    adam.refresh_from_db()
    assert adam.is_admin
    assert adam.is_active


def test_one_of_two_admins_may_go(browser, adam):
    make_user("ada@example.com", role="admin")

    browser.post(f"{USERS}{adam.pk}/change/", user_form(adam, role="user"))

    adam.refresh_from_db()
    assert adam.role == "user"


def test_the_flow_decides_when_two_save_at_once(browser, adam, monkeypatch):
    """The form saw another admin, who is none any more when it is saved."""
    monkeypatch.setattr(users, "is_last_admin", lambda _user: False)
    for url, data in (("change", user_form(adam, role="user")), ("delete", {"post": "yes"})):
        assert browser.post(f"{USERS}{adam.pk}/{url}/", data).status_code == 409
    adam.refresh_from_db()
    assert adam.is_admin


def test_deleting_a_user(browser, alice):
    make_workflow(alice)
    assert browser.post(f"{USERS}{alice.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=alice.pk).exists()
    assert noted(alice) == [("adam@example.com", "user.deleted", {"role": "user"})]


def test_who_has_started_runs_is_not_deleted(browser, alice):
    make_execution(make_workflow(alice))
    page = browser.post(f"{USERS}{alice.pk}/delete/", {"post": "yes"})
    assert "Cannot delete user" in page.content.decode()
    assert User.objects.filter(pk=alice.pk).exists()


def test_sessions_are_for_looking_and_ending(browser, api, alice):
    program = api(alice)
    session = alice.sessions.get()

    for url in (SESSIONS, f"{SESSIONS}{session.pk}/change/"):
        page = browser.get(url).content.decode()
        assert "alice@example.com" in page
        assert session.digest not in page
    assert browser.get(f"{SESSIONS}add/").status_code == 403
    assert browser.post(f"{SESSIONS}{session.pk}/change/", {"ip": "::1"}).status_code == 403

    assert browser.post(f"{SESSIONS}{session.pk}/delete/", {"post": "yes"}).status_code == 302
    assert program.get("/api/auth/me").status_code == 401
    entry = AuditEntry.objects.get(action="session.ended")
    assert (entry.object_id, entry.data) == (alice.pk, {"session": str(session.pk)})


def test_ending_sessions_by_the_dozen(browser, api, alice, bob):
    programs = [api(alice), api(bob)]
    ids = [str(pk) for user in (alice, bob) for pk in user.sessions.values_list("pk", flat=True)]

    browser.post(SESSIONS, {"action": "delete_selected", "_selected_action": ids, "post": "yes"})

    assert [each.get("/api/auth/me").status_code for each in programs] == [401, 401]
    assert AuditEntry.objects.filter(action="session.ended").count() == 2
