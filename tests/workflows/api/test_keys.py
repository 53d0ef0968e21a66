"""`/api/keys` and `/api/keys/{id}`. The key itself only ever goes in (security.md 14)."""

import pytest

from tests.factories import make_key
from workflows.api.answers import KeyAnswer
from workflows.models import ApiKey

URL = "/api/keys"
SECRET = "sk-canary-5f1d7c3a9b"


def body(**fields):
    return {"provider": "openai", "name": "main", "key": SECRET, **fields}


@pytest.fixture
def key(alice):
    return make_key(alice)


@pytest.fixture
def url(key):
    return f"{URL}/{key.pk}"


def test_store(api, alice):
    answer = api(alice).post(URL, body())

    assert answer.status_code == 201
    KeyAnswer.model_validate(answer.json())
    key = ApiKey.objects.get()
    assert answer["Location"] == f"{URL}/{key.pk}"
    assert (key.user, answer.json()["last_four"]) == (alice, "3a9b")
    assert key.credential().secret == SECRET


def test_the_secret_is_nowhere(api, alice, caplog):
    client = api(alice)
    answers = [
        client.post(URL, body()),
        client.post(URL, body()),
        client.post(URL, body(nmae="x")),
        client.post(URL, body(provider="local")),
        client.post(URL, body(name="x", key=f"{SECRET} x")),
        client.get(URL),
        client.get("/api/auth/me"),
    ]

    assert not any(SECRET in answer.content.decode() for answer in answers)
    assert SECRET not in caplog.text


def test_list(api, alice, bob, vera, adam, key):
    def rows(user):
        return api(user).get(URL).json()["results"]

    assert [row["id"] for row in rows(alice)] == [str(key.pk)]
    assert rows(bob) == rows(vera) == []
    assert rows(adam)[0]["owner"]["name"] == "Alice Example"


def test_query_count_is_constant(api, alice, django_assert_num_queries):
    for number in range(5):
        make_key(alice, name=f"k{number}")
    client = api(alice)

    with django_assert_num_queries(2):  # the session, the rows
        assert len(client.get(URL).json()["results"]) == 5


def test_anonymous(api, url):
    for answer in (api().get(URL), api().post(URL, {}), api().patch(url, {}), api().delete(url)):
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


def test_a_viewer_stores_no_key(api, vera):
    assert api(vera).post(URL, {"nonsense": 1}).status_code == 403


@pytest.mark.parametrize(
    ("fields", "path", "code"),
    [
        ({"provider": "local"}, "provider", "invalid_choice"),
        ({"provider": 1}, "provider", "invalid_choice"),
        ({"name": ""}, "name", "blank"),
        ({"name": "x" * 101}, "name", "too_long"),
        ({"key": 12345678}, "key", "wrong_type"),
        ({"user": "x"}, "user", "unknown_field"),
    ],
)
def test_bad_body(api, alice, fields, path, code):
    answer = api(alice).post(URL, body(**fields))

    assert answer.status_code == 400
    errors = answer.json()["details"]["errors"]
    assert [(error["path"], error["code"]) for error in errors] == [(path, code)]


@pytest.mark.parametrize(
    "fields",
    [
        {"key": "short"},
        {"base_url": "https://api.example.com/v1"},
        {"provider": "custom"},
        {"provider": "custom", "base_url": "http://127.0.0.1:9/v1"},
        {"provider": "custom", "base_url": "nonsense"},
    ],
)
def test_unfit_key(api, alice, fields):
    answer = api(alice).post(URL, body(**fields))

    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]
    assert not ApiKey.objects.exists()


def test_names_are_unique(api, alice, key):
    answer = api(alice).post(URL, body())

    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")


def test_change(api, alice, key, url):
    answer = api(alice).patch(url, {"name": "second", "is_active": False})

    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["is_active"]) == ("second", False)
    assert answer.json()["last_four"] == key.last_four


def test_replace(api, alice, key, url):
    changes = {"provider": "custom", "base_url": "https://api.example.com/v1", "key": SECRET}

    answer = api(alice).patch(url, changes)

    assert answer.status_code == 200
    key.refresh_from_db()
    assert (key.provider, key.base_url) == ("custom", "https://api.example.com/v1")
    assert key.credential().secret == SECRET


@pytest.mark.parametrize(
    "changes",
    [{"provider": "anthropic"}, {"base_url": "https://evil.example.com"}],
)
def test_a_stored_key_is_not_sent_elsewhere(api, alice, key, url, changes):
    answer = api(alice).patch(url, changes)

    assert answer.status_code == 400
    assert "Send the key again" in answer.json()["error"]
    key.refresh_from_db()
    assert (key.provider, key.base_url) == ("openai", "")


def test_a_change_is_whole_or_not_at_all(api, alice, key, url):
    answer = api(alice).patch(url, {"name": "second", "key": "short"})

    assert answer.status_code == 400
    key.refresh_from_db()
    assert key.name == "main"


def test_outsider(api, bob, vera, url):
    for user in (bob, vera):
        assert api(user).patch(url, {"nonsense": 1}).status_code == 404
        assert api(user).delete(url).status_code == 404


def test_an_admin_only_deactivates_or_deletes_anothers(api, adam, url, key):
    client = api(adam)

    for changes in ({"name": "x"}, {"key": SECRET}, {"is_active": True}, {}):
        assert client.patch(url, changes).status_code == 403
    assert client.patch(url, {"is_active": False}).status_code == 200
    assert client.delete(url).status_code == 204


def test_delete(api, alice, url):
    assert api(alice).delete(url).status_code == 204
    assert not ApiKey.objects.exists()


def test_wrong_method(api, alice, url):
    assert api(alice).get(url).status_code == 405
    assert api(alice).put(URL, {}).status_code == 405
