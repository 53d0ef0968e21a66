"""Administering users, as a person does it."""

import pytest
from playwright.sync_api import expect

from accounts.models import Session
from tests.factories import make_key, make_user
from workflows.models import ApiKey


@pytest.fixture
def eve(db):
    """Somebody with a long name and address."""
    return make_user("eve.with.a.very.long.address.indeed@example.com", name="Eve " + "L" * 100)


def test_from_the_list_to_a_deactivated_user(page, sign_in, every_look, adam, alice, vera, eve):
    Session.open(alice, ip="203.0.113.9", user_agent="curl/8.5")
    sign_in(adam)
    page.goto("/dashboard")
    page.get_by_role("link", name="Users", exact=True).click()
    every_look(page)
    page.get_by_label("Search by name or e-mail").fill("alice")
    page.wait_for_url("**/manage/users?search=alice")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Alice Example").click()

    page.get_by_role("radio", name="Viewer").check()
    page.get_by_role("button", name="Change role").click()
    page.get_by_text("Alice Example is now a viewer.").wait_for()
    every_look(page)

    page.get_by_role("button", name="Deactivate").click()
    page.get_by_role("dialog").get_by_role("button", name="Deactivate").click()
    page.get_by_text("is deactivated and signed out everywhere").wait_for()
    every_look(page)
    alice.refresh_from_db()
    assert (alice.role, alice.is_active, alice.sessions.count()) == ("viewer", False, 0)

    page.goto(f"/manage/users/{adam.pk}")
    expect(page.get_by_role("radio", name="Admin")).to_be_disabled()
    expect(page.get_by_role("button", name="Deactivate")).to_be_disabled()
    every_look(page)
    page.goto(f"/manage/users/{eve.pk}")
    every_look(page)


@pytest.mark.parametrize("javascript", [False], ids=["no-scripts"])
def test_a_lost_key_without_scripts(page, sign_in, alice, settings):
    settings.ENCRYPTION_KEYS = ["A" * 43 + "="]
    key = make_key(alice, name="From before")
    settings.ENCRYPTION_KEYS = ["A" * 42 + "E="]
    make_key(alice, name="From today")
    sign_in(alice)
    page.goto("/keys")
    expect(page.get_by_text("This key cannot be read any more")).to_have_count(1)
    page.get_by_role("link", name="Enter it again.").click()
    page.get_by_role("textbox", name="New key").fill("sk-new-0123456789")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("This key cannot be read any more")).to_have_count(0)
    assert ApiKey.objects.get(pk=key.pk).credential().secret == "sk-new-0123456789"
