"""What all pages share: the shell, its forms, dialogs and toasts, and the checks themselves."""

import gzip

import pytest
from playwright.sync_api import expect

from accounts.models import Session
from tests import factories

on_a_phone = pytest.mark.parametrize("width", [390])


def test_a_refused_form(page, every_look, db):
    page.goto("/signup")
    page.get_by_label("E-mail").fill("no address")
    page.get_by_role("button", name="Create account").click()
    page.get_by_text("Enter a valid email address.").wait_for()
    every_look(page)


def test_the_theme_is_chosen_and_kept(page, db):
    page.goto("/signin")
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto("/signup")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_password_can_be_looked_at(page, db):
    page.goto("/signin")
    password = page.get_by_label("Password", exact=True)
    password.fill("correct horse")
    page.get_by_role("button", name="Show password").click()
    expect(password).to_have_attribute("type", "text")


@on_a_phone
def test_the_menu_opens_on_a_phone(page, sign_in, axe, alice):
    sign_in(alice)
    page.goto("/profile")
    expect(page.get_by_role("link", name="Workflows")).to_be_hidden()
    page.get_by_role("button", name="Open menu").click()
    expect(page.get_by_role("link", name="Workflows")).to_be_visible()
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        axe(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Workflows")).to_be_hidden()


def test_the_slash_key_goes_to_the_search(page, sign_in, alice):
    sign_in(alice)
    page.goto("/profile")
    page.keyboard.press("/")
    page.keyboard.type("market")
    page.keyboard.press("Enter")
    page.wait_for_url("**/workflows?q=market")


def test_saving_says_so_in_a_toast(page, sign_in, every_look, alice):
    sign_in(alice)
    page.goto("/profile")
    page.get_by_label("Name").fill("Alice Renamed")
    page.get_by_role("button", name="Save").click()
    toast = page.get_by_text("Your profile is saved.")
    toast.wait_for()
    dismiss = page.get_by_role("button", name="Dismiss")
    dismiss.focus()  # a toast in use does not leave
    every_look(page)
    dismiss.click()
    toast.wait_for(state="detached")


def test_ending_a_session_asks_first(page, sign_in, every_look, alice):
    Session.open(alice, ip=None, user_agent="curl")
    sign_in(alice)
    page.goto("/profile")
    end = page.get_by_role("button", name="End the session of curl")
    end.click()
    dialog = page.get_by_role("dialog", name="End this session?")
    dialog.wait_for()
    every_look(page)
    dialog.get_by_role("button", name="Keep it").click()
    assert Session.objects.filter(kind="api").exists()
    end.click()
    dialog.get_by_role("button", name="End session").click()
    page.get_by_text("The session has ended.").wait_for()
    assert not Session.objects.filter(kind="api").exists()


def test_the_viewer_of_the_api(page, db):
    page.goto("/api/docs")
    page.locator(".opblock").first.wait_for()


@pytest.mark.parametrize("javascript", [False])
def test_signing_in_and_out_works_without_scripts(page, alice):
    page.goto("/profile")
    page.get_by_label("E-mail").fill(alice.email)
    page.get_by_label("Password", exact=True).fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Name").fill("Alice Quiet")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your profile is saved.")).to_be_visible()
    page.get_by_title("Sign out").click()  # in the sidebar; the session has one too
    page.wait_for_url("**/")
    expect(page.get_by_role("heading", name="AI workflows you can leave alone")).to_be_visible()


def test_first_paint_is_light(page, sign_in, alice):
    # At most 100 KB over the wire, font included; the test server does not compress, so gzip here.
    sizes = {}
    page.on("response", lambda response: sizes.setdefault(response.url, response))
    sign_in(alice)
    page.goto("/profile", wait_until="networkidle")
    total = 0
    for url, response in sizes.items():
        body = response.body()
        total += len(body) if url.endswith(".woff2") else len(gzip.compress(body))
    assert total <= 100_000


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("element.style.color = 'white'", "color-contrast"),
        ("element.style.color = element.style.background = 'white'", "color-contrast"),
        ("document.querySelector('label').remove()", "label"),
    ],
)
def test_the_accessibility_check_finds_damage(page, axe, db, damage, said):
    page.goto("/signin")
    page.evaluate(f"const element = document.querySelector('h1'); {damage}")
    with pytest.raises(AssertionError, match=said):
        axe(page)


def test_the_width_check_finds_damage(page, fits, db):
    page.goto("/profile")
    page.evaluate("document.querySelector('main').style.width = '3000px'")
    with pytest.raises(AssertionError, match="wider"):
        fits(page)
