"""The Django admin: who gets in, and what it shows of users and sessions."""

import pytest
from django.test import Client

from accounts.models import User
from tests.factories import PASSWORD, make_user

USERS = "/admin/accounts/user/"
SESSIONS = "/admin/accounts/session/"


@pytest.fixture
def browser(adam):
    client = Client()
    client.force_login(adam)
    return client


def form(user, **changes):
    return {
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "is_active": "on",
        "new_password": "",
        **changes,
    }


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


@pytest.mark.parametrize(
    "changes",
    [{"new_password": ""}, {"new_password": "short"}, {"email": "ALICE@example.com"}],
)
def test_a_new_user_who_is_refused(browser, alice, changes):
    data = {"email": "n@example.com", "role": "user", "new_password": "an entirely new phrase"}

    assert browser.post(f"{USERS}add/", data | changes).status_code == 200
    assert User.objects.count() == 2


def test_a_new_role(browser, alice):
    browser.post(f"{USERS}{alice.pk}/change/", form(alice, role="admin"))

    alice.refresh_from_db()
    assert alice.is_superuser
    assert alice.check_password(PASSWORD)


def test_a_new_password_ends_the_user_s_sessions(browser, api, alice):
    program = api(alice)

    browser.post(f"{USERS}{alice.pk}/change/", form(alice, new_password="an entirely new phrase"))

    alice.refresh_from_db()
    assert alice.check_password("an entirely new phrase")
    assert program.get("/api/auth/me").status_code == 401


def test_deactivating_ends_the_sessions_for_good(browser, api, alice):
    program = api(alice)
    changes = form(alice)
    del changes["is_active"]

    browser.post(f"{USERS}{alice.pk}/change/", changes)

    assert program.get("/api/auth/me").status_code == 401
    assert not alice.sessions.exists()


def test_the_last_admin_stays(browser, adam):
    inactive = form(adam)
    del inactive["is_active"]
    for changes in (form(adam, role="user"), inactive):
        page = browser.post(f"{USERS}{adam.pk}/change/", changes)
        assert "last active administrator" in page.content.decode()
    assert browser.post(f"{USERS}{adam.pk}/delete/", {"post": "yes"}).status_code == 403

    adam.refresh_from_db()
    assert adam.is_admin
    assert adam.is_active


def test_one_of_two_admins_may_go(browser, adam):
    make_user("ada@example.com", role="admin")

    browser.post(f"{USERS}{adam.pk}/change/", form(adam, role="user"))

    adam.refresh_from_db()
    assert adam.role == "user"


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
