"""The profile: who you are, and where you are signed in."""

from django.test import Client
from playwright.sync_api import expect

from accounts.models import Session
from tests.factories import PASSWORD, make_user

AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "a-program-with-a-very-long-name-that-tells-its-whole-story/1.0 " * 4,
    "curl/8.5.0",
)


def test_a_long_name_and_address_fit(page, sign_in, every_look, db):
    long = make_user(f"{'an.address.' * 5}x@example.com", name="Wolfeschlegelsteinhausen" * 6)
    for agent in AGENTS:
        Session.open(long, ip="2001:db8:1234:5678:9abc:def0:1234:5678", user_agent=agent)
    sign_in(long)
    page.goto("/profile")
    every_look(page)


def test_one_browser_ends_another(page, alice):
    page.goto("/profile")
    page.get_by_label("E-mail").fill(alice.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("Nothing else is signed in as you").wait_for()
    expect(page.get_by_text("Chrome on Linux")).to_be_visible()

    other = Client()
    other.force_login(alice)
    page.reload()
    page.get_by_role("button", name="End all others").click()
    page.get_by_role("dialog").get_by_role("button", name="End them all").click()
    page.get_by_text("1 other session ended.").wait_for()
    assert other.get("/profile").status_code == 302

    # What was ended elsewhere is out at the next step, and comes back to where it was.
    alice.sessions.all().delete()
    page.reload()
    page.wait_for_url("**/signin?next=/profile")
