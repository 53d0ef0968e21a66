import re

from tests.factories import make_key
from workflows import gallery

URL = "/templates/support-reply"


def text(response):
    return response.content.decode()


def chosen(page):
    return re.findall(r'<option value="([^"]+)" selected>', page)


def test_shows_each_with_graph_prompts_agents_and_example(browse, alice):
    client = browse(alice)
    for template in gallery.templates():
        page = text(client.get(f"/templates/{template.slug}"))
        for task in template.definition.tasks:
            assert f'data-id="{task.id}"' in page
            assert f'id="task-{task.id}"' in page
        assert page.count('class="sample"') == len(template.example)
        assert f'action="/templates/{template.slug}/use"' in page


def test_offers_the_models_with_their_costs(browse, alice):
    page = text(browse(alice).get(URL))
    assert chosen(page) == ["local:smollm2-135m"]
    assert re.search(r"claude-haiku-5-5 · at most \$0\.\d+ · no key yet", page)


def test_chooses_what_there_is_a_key_for(browse, alice):
    make_key(alice, provider="anthropic")
    page = text(browse(alice).get(URL))
    assert chosen(page) == ["anthropic:claude-haiku-5-5"]
    assert not re.search(r"claude-haiku-5-5 ·[^<]* no key yet", page)


def test_a_viewer_reads_why_they_cannot_use_it(browse, vera):
    page = text(browse(vera).get(URL))
    assert "Your role is viewer" in page
    assert 'action="/templates' not in page


def test_an_unknown_one(browse, alice):
    assert browse(alice).get("/templates/nothing").status_code == 404


def test_strangers_sign_in_first(browse, db):
    assert browse().get(URL)["Location"].startswith("/signin")


def test_other_methods_are_refused(browse, alice):
    assert browse(alice).post(URL).status_code == 405


def test_queries(browse, alice, django_assert_num_queries):
    client = browse(alice)
    client.get(URL)
    with django_assert_num_queries(4):
        client.get(URL)
