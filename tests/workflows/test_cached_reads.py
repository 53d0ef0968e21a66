"""What is read again and again is made once, and made anew when it has changed."""

import time
from decimal import Decimal

import pytest
from django.utils.safestring import SafeString

from hummbl import cache
from workflows import gallery, markdown
from workflows.gallery.costs import cost_bounds
from workflows.providers import catalogue
from workflows.providers.catalogue import Rates

HAIKU = ("anthropic", "claude-haiku-5-5")
DEAR = (Rates(Decimal(1000), Decimal(1000), Decimal(1000), Decimal(1000)),)


@pytest.fixture
def next_day(monkeypatch):
    """Moves the clock on by a day."""

    def move():
        later = time.time() + 86_400
        monkeypatch.setattr(time, "time", lambda: later)

    return move


def test_markdown_is_rendered_once():
    first, second = markdown.render("**bold**"), markdown.render("**bold**")
    assert first == second == "<p><strong>bold</strong></p>\n"
    assert isinstance(first, SafeString)
    assert isinstance(second, SafeString)
    assert cache.stats()["markdown"] == {"hits": 1, "misses": 1}


def test_another_text_is_another_html():
    assert markdown.render("one") != markdown.render("two")
    assert cache.stats()["markdown"] == {"hits": 0, "misses": 2}


def test_a_very_long_text_is_not_kept():
    text = "word " * (markdown.MAX_KEPT // 5 + 1)
    assert markdown.render(text) == markdown.render(text)
    assert "markdown" not in cache.stats()


def test_the_costs_of_a_template_follow_prices_from_day_to_day(monkeypatch, next_day):
    template = gallery.get("support-reply")
    before = cost_bounds(template)
    assert cost_bounds(template) == before
    monkeypatch.setitem(catalogue.OVERRIDES, HAIKU, DEAR)
    next_day()
    assert cost_bounds(template)[":".join(HAIKU)] > before[":".join(HAIKU)]
    assert cache.stats()["template_costs"] == {"hits": 1, "misses": 2}


def test_pages_and_the_api_share_what_one_of_them_made(api, alice, client):
    count = len(gallery.templates())
    client.force_login(alice)
    for answer in (api(alice).get("/api/templates"), client.get("/templates")):
        assert answer.status_code == 200
    assert cache.stats()["template_costs"] == {"hits": count, "misses": count}
