import re

import pytest

from tests.factories import make_key
from workflows import gallery

URL = "/templates"


def slugs(response):
    return {template.slug for template, _ in response.context["cards"]}


def text(response):
    return response.content.decode()


def test_shows_them_all_with_a_sketch_and_a_button(browse, alice):
    page = text(browse(alice).get(URL))
    for template in gallery.templates():
        assert f'href="/templates/{template.slug}"' in page
        assert f'action="/templates/{template.slug}/use"' in page
    assert page.count('class="sketch"') == len(gallery.templates())


def test_without_a_key_it_says_what_to_expect(browse, alice):
    page = text(browse(alice).get(URL))
    assert "toy of a model" in page
    assert "free" in page


def test_with_a_key_it_says_what_a_run_costs_at_most(browse, alice):
    make_key(alice, provider="anthropic")
    page = text(browse(alice).get(URL))
    assert "toy of a model" not in page
    assert re.search(r"at most \$0\.\d+ a run", page)


def test_a_viewer_sees_them_and_why_they_cannot_use_one(browse, vera):
    page = text(browse(vera).get(URL))
    assert "Your role is viewer" in page
    assert 'action="/templates' not in page
    assert "/workflows/new" not in page


def test_filters_by_category(browse, alice):
    response = browse(alice).get(URL, {"category": "Engineering"})
    assert slugs(response) == {"incident-review", "release-notes"}
    assert re.search(r'id="c-engineering"[^>]*aria-current="page"', text(response))


def test_searches_within_a_category(browse, alice):
    response = browse(alice).get(URL, {"q": "commits", "category": "Engineering"})
    assert slugs(response) == {"release-notes"}
    assert "?category=Writing&amp;q=commits" in text(response)
    assert '<input type="hidden" name="category" value="Engineering"' in text(response)


def test_an_unknown_category_is_none(browse, alice):
    assert len(slugs(browse(alice).get(URL, {"category": "nonsense"}))) == len(gallery.templates())


def test_nothing_found(browse, alice):
    response = browse(alice).get(URL, {"q": "zeppelin"})
    assert slugs(response) == set()
    assert "No template matches" in text(response)


@pytest.mark.parametrize("query", ["\0", "x" * 5000, '"><script>alert(1)</script>'])
def test_odd_searches(browse, alice, query):
    response = browse(alice).get(URL, {"q": query})
    assert response.status_code == 200
    assert "<script>alert" not in text(response)


def test_htmx_gets_the_cards_alone(browse, alice, fragment):
    response = browse(alice).get(URL, **fragment)
    assert "<html" not in text(response)
    assert "HX-Request" in response["Vary"]


def test_is_light(browse, alice):
    assert len(browse(alice).get(URL).content) < 60_000


def test_is_in_the_side_bar(browse, alice):
    assert 'href="/templates" aria-current="page"' in text(browse(alice).get(URL))


def test_strangers_sign_in_first(browse, db):
    assert browse().get(URL)["Location"].startswith("/signin")


def test_other_methods_are_refused(browse, alice):
    assert browse(alice).post(URL).status_code == 405


def test_queries(browse, alice, django_assert_num_queries):
    client = browse(alice)
    client.get(URL)
    with django_assert_num_queries(3):
        client.get(URL)
