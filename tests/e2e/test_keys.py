"""The Test button of a key, with and without scripts."""

import pytest
from playwright.sync_api import expect

from tests import factories
from workflows.providers import addresses


@pytest.fixture(autouse=True)
def _mock(llmock, settings, monkeypatch):
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    monkeypatch.setitem(addresses.BASE_URLS, "openai", llmock.base_url("openai"))


@pytest.fixture
def keys(alice, llmock, sign_in):
    """Two keys of hers: one for OpenAI, and one with a long address."""
    factories.make_key(alice, name="main")
    factories.make_key(
        alice, provider="custom", name="a server of our own", base_url=llmock.base_url("custom")
    )
    sign_in(alice)


def button(page, name):
    return page.get_by_role("button", name=f"Test {name}")


def test_each_answer_stands_below_its_key(page, every_look, llmock, keys):
    page.goto("/keys")
    button(page, "main").click()
    page.get_by_text("The key works. OpenAI shows it 7 models.").wait_for()

    llmock.fail(404)
    button(page, "a server").press("Enter")
    page.get_by_text("lists no models; whether the key is right shows").wait_for()
    assert button(page, "a server").evaluate("(it) => it === document.activeElement")
    expect(page.get_by_text("The key works.")).to_be_visible()
    every_look(page)

    llmock.fail(401)
    button(page, "main").click()
    page.get_by_text("OpenAI refuses the key: it is wrong, incomplete or revoked.").wait_for()
    expect(page.get_by_text("The key works.")).to_have_count(0)
    every_look(page)


@pytest.mark.parametrize("javascript", [False])
def test_without_scripts(page, keys):
    page.goto("/keys")
    button(page, "main").click()
    page.get_by_text("“main”: The key works. OpenAI shows it 7 models.").wait_for()
