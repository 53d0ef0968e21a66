"""`POST /api/keys/{id}/test`: whether a key works, in a sentence."""

import pytest

from tests.factories import make_key
from workflows.api.answers import KeyCheckAnswer
from workflows.providers import addresses

SECRET = "sk-canary-5f1d7c3a9b"


@pytest.fixture(autouse=True)
def _mock(llmock, settings, monkeypatch):
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    for provider in ("openai", "anthropic"):
        monkeypatch.setitem(addresses.BASE_URLS, provider, llmock.base_url(provider))


@pytest.fixture
def key(alice):
    return make_key(alice, secret=SECRET)


@pytest.fixture
def url(key):
    return f"/api/keys/{key.pk}/test"


def test_it_works(api, alice, url):
    answer = api(alice).post(url)

    assert answer.status_code == 200
    KeyCheckAnswer.model_validate(answer.json())
    assert answer.json() == {
        "ok": True,
        "code": "ok",
        "message": "The key works. OpenAI shows it 7 models.",
    }


@pytest.mark.parametrize("provider", ["openai", "anthropic", "custom"])
def test_a_wrong_key(api, alice, llmock, provider, caplog):
    address = llmock.base_url("custom") if provider == "custom" else ""
    key = make_key(alice, provider=provider, base_url=address, secret=SECRET)
    llmock.fail(401, message=f"Incorrect API key provided: {SECRET}")

    answer = api(alice).post(f"/api/keys/{key.pk}/test")

    assert answer.status_code == 200
    assert (answer.json()["ok"], answer.json()["code"]) == (False, "authentication")
    assert SECRET not in answer.content.decode() + caplog.text


def test_an_inactive_key_may_be_tested(api, alice, key, url):
    key.set_active(False, by=alice)
    assert api(alice).post(url).json()["ok"] is True


def test_a_test_is_no_use(api, alice, key, url):
    api(alice).post(url)
    key.refresh_from_db()
    assert key.last_used_at is None


def test_a_key_that_cannot_be_decrypted(api, alice, url, settings, llmock):
    settings.ENCRYPTION_KEYS = ["A" * 43 + "="]
    answer = api(alice).post(url)
    assert answer.status_code == 200
    assert (answer.json()["ok"], answer.json()["code"]) == (False, "decryption_failed")
    assert llmock.requests() == []


def test_an_address_inside_is_refused(api, alice, llmock, settings):
    key = make_key(alice, provider="custom", base_url=llmock.base_url("custom"))
    settings.ALLOWED_PRIVATE_HOSTS = []
    answer = api(alice).post(f"/api/keys/{key.pk}/test")
    assert (answer.json()["ok"], answer.json()["code"]) == (False, "outbound_refused")
    assert llmock.requests() == []


def test_anonymous(api, url, llmock):
    assert api().post(url).status_code == 401
    assert llmock.requests() == []


def test_outsiders(api, bob, vera, url, llmock):
    for user in (bob, vera):
        assert api(user).post(url).status_code == 404
    assert llmock.requests() == []


def test_an_admin_does_not_test_anothers(api, adam, url, llmock):
    assert api(adam).post(url).status_code == 403
    assert llmock.requests() == []


def test_a_viewer_tests_none_of_theirs(api, alice, url, llmock):
    alice.role = "viewer"
    alice.save()
    answer = api(alice).post(url)
    assert (answer.status_code, answer.json()["code"]) == (403, "read_only_role")
    assert llmock.requests() == []


def test_it_counts_as_a_run(api, alice, url, limits):
    limits(EXECUTE="2/m")
    client = api(alice)
    answers = [client.post(url) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2]["Retry-After"]


def test_wrong_method(api, alice, url):
    assert api(alice).get(url).status_code == 405
    assert api(alice).delete(url).status_code == 405


def test_query_count(api, alice, url, django_assert_num_queries):
    client = api(alice)
    with django_assert_num_queries(2):  # the session, the key
        client.post(url)
