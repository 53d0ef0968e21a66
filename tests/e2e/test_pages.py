"""Every page of the shell, in both themes, on a phone and on a desk."""

import gzip

import pytest

from accounts.models import Session
from tests import factories

both_widths = pytest.mark.parametrize("width", [390, 1440])
both_themes = pytest.mark.parametrize("theme", ["light", "dark"])
on_a_phone = pytest.mark.parametrize("width", [390])


def look(page, axe, fits, url, status=200):
    response = page.goto(url)
    assert response.status == status
    fits(page)
    axe(page)
    if page.viewport_size["width"] == 390:
        page.set_viewport_size({"width": 360, "height": 740})
        fits(page)


@both_widths
@both_themes
@pytest.mark.parametrize(
    ("url", "status"), [("/", 200), ("/signin", 200), ("/signup", 200), ("/nowhere", 404)]
)
def test_pages_for_strangers(page, axe, fits, url, status):
    look(page, axe, fits, url, status)


@both_widths
@both_themes
@pytest.mark.parametrize(
    "url", ["/dashboard", "/workflows", "/executions", "/keys", "/profile", "/profile/password"]
)
def test_pages_for_users(page, sign_in, axe, fits, alice, url):
    Session.open(alice, ip="203.0.113.9", user_agent="a-program-with-a-very-long-name/1.0 " * 5)
    factories.make_key(alice)
    factories.make_execution(factories.make_workflow(alice))
    sign_in(alice)
    look(page, axe, fits, url)


@both_themes
@pytest.mark.parametrize("url", ["/dashboard", "/workflows", "/executions", "/keys"])
def test_empty_pages_for_users(page, sign_in, axe, fits, alice, url):
    sign_in(alice)
    look(page, axe, fits, url)


@both_themes
def test_a_refused_form(page, axe, fits, db):
    page.goto("/signup")
    page.get_by_label("E-mail").fill("no address")
    page.get_by_role("button", name="Create the account").click()
    page.get_by_text("Enter a valid email address.").wait_for()
    fits(page)
    axe(page)


def test_the_theme_is_chosen_and_kept(page, db):
    page.goto("/signin")
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.goto("/signup")
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_a_password_can_be_looked_at(page, db):
    page.goto("/signin")
    password = page.get_by_label("Password", exact=True)
    password.fill("correct horse")
    page.get_by_role("button", name="Show password").click()
    assert password.get_attribute("type") == "text"


@on_a_phone
def test_the_menu_opens_on_a_phone(page, sign_in, axe, alice):
    sign_in(alice)
    page.goto("/profile")
    assert not page.get_by_role("link", name="Workflows").is_visible()
    page.get_by_role("button", name="Open menu").click()
    assert page.get_by_role("link", name="Workflows").is_visible()
    axe(page)
    page.keyboard.press("Escape")
    assert not page.get_by_role("link", name="Workflows").is_visible()


def test_the_slash_key_goes_to_the_search(page, sign_in, alice):
    sign_in(alice)
    page.goto("/profile")
    page.keyboard.press("/")
    page.keyboard.type("market")
    page.keyboard.press("Enter")
    page.wait_for_url("**/workflows?q=market")


@both_themes
def test_saving_says_so_in_a_toast(page, sign_in, axe, alice):
    sign_in(alice)
    page.goto("/profile")
    page.get_by_label("Name").fill("Alice Renamed")
    page.get_by_role("button", name="Save").click()
    toast = page.get_by_text("Your profile is saved.")
    toast.wait_for()
    axe(page)
    page.get_by_role("button", name="Dismiss").click()
    toast.wait_for(state="detached")


@both_themes
def test_ending_a_session_asks_first(page, sign_in, axe, alice):
    Session.open(alice, ip=None, user_agent="curl")
    sign_in(alice)
    page.goto("/profile")
    end = page.get_by_role("button", name="End the session of curl")
    end.click()
    dialog = page.get_by_role("dialog", name="End this session?")
    axe(page)
    dialog.get_by_role("button", name="Keep it").click()
    assert Session.objects.count() == 1
    end.click()
    dialog.get_by_role("button", name="End session").click()
    page.get_by_text("The session has ended.").wait_for()
    assert not Session.objects.exists()


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
    assert page.get_by_text("Your profile is saved.").is_visible()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/")
    assert page.get_by_role("heading", name="AI workflows you can leave alone").is_visible()


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
