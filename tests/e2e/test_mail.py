"""What people do with the links in our mails, in a real browser."""

import pytest
from django.core import mail
from playwright.sync_api import expect

from tests.accounts.letters import letter, path_in


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no-scripts"])
def test_a_forgotten_password(page, alice):
    """From the sign-in page to a new password and in.

    The form is sent from a page whose address holds a token: the browser must keep that to itself,
    and still name the origin, without which the form would be refused.
    """
    referrers = []
    page.on("request", lambda request: referrers.append(request.headers.get("referer", "")))
    page.goto("/signin")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("E-mail").fill(alice.email)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading")).to_have_text("Check your inbox")
    page.goto(path_in(letter()))
    page.get_by_label("New password", exact=True).fill("an entirely new phrase")
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_text("Your new password is set.")).to_be_visible()
    page.get_by_label("E-mail").fill(alice.email)
    page.get_by_label("Password", exact=True).fill("an entirely new phrase")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/dashboard")
    assert not [each for each in referrers if "token" in each]


def test_another_address(page, sign_in, alice):
    """Change it, see that it is not verified, follow the link, see that it is."""
    sign_in(alice)
    page.goto("/profile")
    expect(page.get_by_text("Not verified")).to_be_visible()
    page.get_by_role("link", name="Change e-mail").click()
    page.get_by_label("New e-mail address").fill("alice@new.example")
    page.get_by_role("button", name="Change e-mail").click()
    expect(page.get_by_text("Your address is alice@new.example now.")).to_be_visible()
    assert [message.to for message in mail.outbox] == [["alice@example.com"], ["alice@new.example"]]
    page.goto(path_in(letter()))
    page.get_by_role("button", name="Verify e-mail").click()
    expect(page.get_by_text("alice@new.example is verified.")).to_be_visible()
    expect(page.get_by_text("Not verified")).to_have_count(0)
