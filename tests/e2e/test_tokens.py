"""Access tokens in the browser: made, copied, used, deleted; and made without scripts."""

import pytest
from playwright.sync_api import expect

from tests.factories import make_token


@pytest.mark.parametrize("fresh", [True])
def test_a_token_from_its_making_to_its_end(page, context, sign_in, every_look, alice, bearer):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    sign_in(alice)
    page.goto("/profile")
    page.get_by_role("link", name="Manage tokens").click()
    page.get_by_role("link", name="New token").click()
    page.get_by_label("Name").fill(
        "The report that build-server-with-a-long-name.example.com makes"
    )
    page.get_by_label("Run", exact=True).check()
    page.get_by_label("Ends").select_option("in 7 days")
    page.get_by_role("button", name="Create token").click()

    page.get_by_role("button", name="Copy the token").click()
    secret = page.evaluate("navigator.clipboard.readText()")
    assert secret == page.locator("#secret").inner_text()
    every_look(page)
    assert bearer(secret).get("/api/workflows").status_code == 200
    assert bearer(secret).post("/api/workflows", {}).status_code == 403

    # Loading the page anew shows the list, and makes no second token.
    page.reload()
    page.get_by_role("heading", name="Access tokens").wait_for()
    assert secret not in page.content()
    expect(page.get_by_text("Expires in 7 days")).to_be_visible()
    every_look(page)
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete token").click()
    page.get_by_text("No access token yet").wait_for()
    assert bearer(secret).get("/api/workflows").status_code == 401


@pytest.mark.parametrize("javascript", [False])
def test_without_scripts(page, sign_in, alice, bearer):
    make_token(alice, name="Nightly")
    sign_in(alice)
    page.goto("/profile/tokens/new")
    page.get_by_role("button", name="Create token").click()
    page.get_by_text("This field is required.").wait_for()
    page.get_by_label("Name").fill("Nightly")
    page.get_by_role("button", name="Create token").click()
    page.get_by_text("You have a token named “Nightly” already.").wait_for()
    page.get_by_label("Name").fill("Weekly")
    page.get_by_role("button", name="Create token").click()
    secret = page.locator("#secret").inner_text()
    assert bearer(secret).get("/api/workflows").status_code == 200
    page.get_by_role("link", name="I have copied it").click()
    page.get_by_role("button", name="Delete Weekly").wait_for()
