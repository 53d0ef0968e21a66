"""A browser whose pages fail the test on anything a person would find in the console.

`CHROMIUM` names the browser; without it `chromium` is looked up. Without either, the tests skip.
"""

import json
import os
import shutil
from contextlib import contextmanager
from importlib.resources import files

import pytest
from django.conf import settings as django_settings
from django.test import Client
from playwright.sync_api import expect, sync_playwright

from tests import network

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
COLOURS = ["color-contrast", "link-in-text-block"]  # the rules that a theme can break
# Who asks for one of these has real processes at work, on the database of the run.
PROCESSES = {"server", "worker_process"}
PATIENCE = 60_000  # ms, for a busy machine
COVERED = {"bgOverlap", "elmPartiallyObscured", "elmPartiallyObscuring"}
DESK = 1440
HEIGHTS = {360: 740, 390: 844, DESK: 900}
# What a page tells of itself as it closes would reach the test after: here nobody may be tracked.
NOT_TRACKED = "Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })"
STORED = "local_storage,indexeddb,cache_storage,service_workers"
# Told to the page before its own scripts: a violation of the policy becomes a console error.
REPORT_VIOLATIONS = """
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`CSP: ${event.violatedDirective} refused ${event.blockedURI}`);
    });
"""


def pytest_collection_modifyitems(items):
    """Everything in this folder drives a browser; what a page looks like is seen once."""
    here = os.path.dirname(__file__)  # noqa: PTH120
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.e2e)
            if not PROCESSES & set(item.fixturenames):
                item.add_marker(pytest.mark.once)


@pytest.fixture(scope="package")
def browser():
    """Chromium, headless, for the tests of this folder."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not path:
        pytest.skip("Chromium is not installed; set CHROMIUM to its path")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, which Django takes for async code.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        expect.set_options(timeout=PATIENCE)
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def width():
    """Of the window in CSS pixels; parametrise `width` to change it."""
    return DESK


@pytest.fixture
def theme():
    """What the system asks for, `light` or `dark`; parametrise `theme` to change it."""
    return "light"


@pytest.fixture
def javascript():
    """Whether the browser runs scripts; parametrise `javascript` to change it."""
    return True


@pytest.fixture
def site(live_server):
    """The address that the browser's paths are relative to."""
    return live_server.url


@pytest.fixture
def fresh(javascript):
    """Whether the browser's profile is of this test alone.

    Parametrise or override `fresh` where a test has another `site`, lets itself be tracked, or
    changes its `context` as no other test must find it: scripts, routes, rights, network, clock.
    """
    return not javascript


@pytest.fixture(scope="package")
def profile(browser, live_server):
    """What `context` is for most tests: to make a profile takes longer than to look at a page."""
    with _context(browser, live_server.url) as context:
        context.add_init_script(NOT_TRACKED)
        yield Profile(context, live_server.url)


@pytest.fixture
def context(request, browser, site, javascript, fresh):
    """A profile of the browser in which nothing is left of another test.

    Addresses are relative to `site`.
    """
    with network.unchanged():
        if fresh:
            with _context(browser, site, java_script_enabled=javascript) as context:
                yield context
        else:
            profile = request.getfixturevalue("profile")
            yield profile.context
            profile.clear()


@contextmanager
def _context(browser, site, **options):
    viewport = {"width": DESK, "height": HEIGHTS[DESK]}
    context = browser.new_context(
        base_url=site, viewport=viewport, reduced_motion="reduce", **options
    )
    context.set_default_timeout(PATIENCE)
    context.add_init_script(REPORT_VIOLATIONS)
    yield context
    context.close()


class Profile:
    """A profile that is used again, held by a tab of its own."""

    def __init__(self, context, origin):
        self.context, self._origin = context, origin
        self._tab = context.new_page()
        self._session = context.new_cdp_session(self._tab)

    def clear(self):
        """Close the pages, and forget all that they left."""
        for page in self.context.pages:
            if page is not self._tab:
                page.close()
        self.context.clear_cookies()
        stored = {"origin": self._origin, "storageTypes": STORED}
        self._session.send("Storage.clearDataForOrigin", stored)
        self._session.send("Network.clearBrowserCache")


@pytest.fixture
def window(context, width, theme):
    """A page as large and as light as the test asks for, whose troubles nobody looks at."""
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": HEIGHTS.get(width, 900)})
    page.emulate_media(color_scheme=theme)
    return page


@pytest.fixture
def page(window):
    """A page that fails the test on a console error or warning and on an uncaught exception."""
    troubles = []
    window.on("console", lambda message: troubles.extend(_trouble(window, message)))
    window.on("pageerror", lambda error: troubles.append(f"uncaught: {error}"))
    yield window
    assert troubles == []


def _trouble(page, message):
    if message.type not in {"error", "warning"}:
        return []
    # The status of the document itself is for the test to judge.
    is_document = message.location.get("url") == page.url
    if is_document and message.text.startswith("Failed to load resource"):
        return []
    return [f"{message.type}: {message.text} ({message.location.get('url')})"]


@pytest.fixture
def sign_in(context):
    """`sign_in(alice)` gives the browser her session, without the form."""

    def give_session(user):
        client = Client()
        client.force_login(user)
        name = django_settings.SESSION_COOKIE_NAME
        context.add_cookies(
            [
                {
                    "name": name,
                    "value": client.cookies[name].value,
                    "domain": "localhost",
                    "path": "/",
                    "httpOnly": True,
                    "sameSite": "Lax",
                }
            ]
        )

    return give_session


@pytest.fixture
def axe():
    """`axe(page)` fails on any violation of WCAG 2.1 A and AA and on contrast it cannot judge.

    White on white is no violation to axe but an undecided result, so those count too. It runs in
    a world of its own, beside the page's, so that the page's policy stays in force.
    """
    return _axe


def _axe(page):
    with _world(page) as run:
        run(RULES)


@contextmanager
def _world(page):
    """A world with axe in it: a function that runs some of its rules on the page as it stands."""
    session = page.context.new_cdp_session(page)
    frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
    world = session.send("Page.createIsolatedWorld", {"frameId": frame, "worldName": "axe"})
    at = {"contextId": world["executionContextId"]}
    session.send("Runtime.evaluate", {"expression": AXE, **at})

    def run(rules):
        options = {"runOnly": rules, "resultTypes": ["violations", "incomplete"]}
        expression = f"axe.run(document, {json.dumps(options)})"
        awaited = {"awaitPromise": True, "returnByValue": True}
        answer = session.send("Runtime.evaluate", {"expression": expression, **awaited, **at})
        _judge(answer["result"]["value"])

    try:
        yield run
    finally:
        session.detach()


def _judge(results):
    undecided = []
    for found in results["incomplete"]:
        nodes = [node for node in found["nodes"] if not _is_covered(node)]
        if found["id"] == "color-contrast" and nodes:
            undecided.append({**found, "nodes": nodes})
    assert [_said(found) for found in results["violations"] + undecided] == []


def _is_covered(node):
    """Whether the contrast is undecided because an open menu or dialog lies over the element."""
    data = next((check["data"] for check in node["any"] if check["id"] == "color-contrast"), None)
    data = data or {}
    # Of a single character that is covered, axe says only that it found no ratio.
    return data.get("messageKey") in COVERED or data.get("contrastRatio") == 0


def _said(found):
    places = [
        f"{' '.join(map(str, node['target']))}: {node['html'][:120]}" for node in found["nodes"]
    ]
    return f"{found['id']} ({found['help']}) at {'; '.join(places)}"


@pytest.fixture
def fits():
    """`fits(page)` fails when the page is wider than the window."""

    def check(page):
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{page.url} is {wide} px wider than the window"

    return check


@pytest.fixture
def every_look(theme, fits):
    """`every_look(page)` checks the page as it stands: on a desk and a phone, in light and dark."""

    def check(page):
        before = page.viewport_size
        with _world(page) as run:
            for width in (1440, 390):
                page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
                fits(page)
                page.emulate_media(color_scheme="light")
                run(RULES)
                page.emulate_media(color_scheme="dark")
                run(COLOURS)
        page.set_viewport_size({"width": 360, "height": HEIGHTS[360]})
        fits(page)
        page.set_viewport_size(before)
        page.emulate_media(color_scheme=theme)

    return check
