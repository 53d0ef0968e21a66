"""`POST /keys/<pk>/test`: the Test button."""

import pytest

from tests.factories import make_key
from workflows.providers import addresses


@pytest.fixture(autouse=True)
def _mock(llmock, settings, monkeypatch):
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    monkeypatch.setitem(addresses.BASE_URLS, "openai", llmock.base_url("openai"))


@pytest.fixture
def key(alice):
    return make_key(alice)


@pytest.fixture
def url(key):
    return f"/keys/{key.pk}/test"


def test_the_page_has_a_button(browse, alice, adam, url):
    assert f'hx-post="{url}"' in browse(alice).get("/keys").content.decode()
    assert url not in browse(adam).get("/keys").content.decode()


def test_the_answer_stands_below_the_key(browse, alice, url, fragment):
    answer = browse(alice).post(url, **fragment)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<html" not in page
    assert "st-completed" in page
    assert "The key works. OpenAI shows it 7 models." in page
    assert answer["Cache-Control"].startswith("max-age=0")


def test_without_scripts_it_is_a_message(browse, alice, url, llmock):
    llmock.fail(401)
    client = browse(alice)
    answer = client.post(url)
    assert answer["Location"] == "/keys"
    page = client.get("/keys").content.decode()
    assert "“main”: OpenAI refuses the key: it is wrong, incomplete or revoked." in page


@pytest.mark.parametrize(
    ("status", "colour", "icon"),
    [(401, "st-failed", "circle-x"), (404, "st-waiting", "circle-question-mark")],
)
def test_what_is_wrong_is_colour_icon_and_word(
    browse, alice, llmock, fragment, status, colour, icon
):
    key = make_key(alice, name="other", provider="custom", base_url=llmock.base_url("custom"))
    llmock.fail(status)
    page = browse(alice).post(f"/keys/{key.pk}/test", **fragment).content.decode()
    assert colour in page
    assert f"#{icon}" in page


def test_others(browse, bob, adam, vera, url, llmock):
    assert browse(bob).post(url).status_code == 404
    assert browse(vera).post(url).status_code == 404
    assert browse(adam).post(url).status_code == 403
    assert browse().post(url)["Location"].startswith("/signin")
    assert llmock.requests() == []


def test_a_viewer_tests_none_of_theirs(browse, alice, url, llmock):
    alice.role = "viewer"
    alice.save()
    client = browse(alice)
    assert client.post(url).status_code == 403
    assert url not in client.get("/keys").content.decode()
    assert llmock.requests() == []


def test_other_methods_are_refused(browse, alice, url):
    assert browse(alice).get(url).status_code == 405


def test_it_counts_as_a_run(browse, alice, url, limits, fragment):
    limits(EXECUTE="1/m")
    client = browse(alice)
    assert client.post(url, **fragment).status_code == 200
    assert client.post(url, **fragment).status_code == 429
