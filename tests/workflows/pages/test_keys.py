import pytest

from tests.factories import make_key
from workflows.models import ApiKey

URL = "/keys"
SECRET = "sk-canary-0123456789-WXYZ"
FORM = {"provider": "openai", "name": "main", "key": SECRET}


def test_stores_a_key_and_shows_its_end(browse, alice):
    client = browse(alice)
    assert client.post(URL, FORM)["Location"] == URL
    key = ApiKey.objects.get()
    assert key.user == alice
    assert key.credential().secret == SECRET
    page = client.get(URL).content.decode()
    assert "•••• WXYZ" in page
    assert SECRET not in page


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"provider": "local"}, "Select a valid choice"),
        ({"name": ""}, "required"),
        ({"key": ""}, "required"),
        ({"key": "short"}, "does not look like a key"),
        ({"provider": "custom"}, "needs its base URL"),
        ({"base_url": "https://x.example"}, "Only a custom provider"),
        ({"provider": "custom", "base_url": "http://127.0.0.1:9/v1"}, ""),
        ({"provider": "custom", "base_url": "file:///etc/passwd"}, ""),
    ],
)
def test_bad_input_stores_nothing_and_is_not_repeated(browse, alice, change, sentence):
    response = browse(alice).post(URL, FORM | change)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert SECRET not in response.content.decode()
    assert not ApiKey.objects.exists()


def test_a_name_is_used_once(browse, alice, bob):
    make_key(bob)
    make_key(alice)
    response = browse(alice).post(URL, FORM)
    assert "already have" in response.content.decode()
    assert ApiKey.objects.filter(user=alice).count() == 1


def test_a_posted_owner_is_ignored(browse, alice, bob):
    browse(alice).post(URL, FORM | {"user": str(bob.pk), "last_four": "0000"})
    assert ApiKey.objects.get().user == alice
    assert ApiKey.objects.get().last_four == "WXYZ"


def test_only_ones_own_are_listed(browse, alice, bob, adam):
    make_key(bob, name="hers")
    assert "hers" not in browse(alice).get(URL).content.decode()
    page = browse(adam).get(URL).content.decode()
    assert "hers" in page
    assert "bob@example.com" in page


def test_a_viewer_stores_none(browse, vera):
    client = browse(vera)
    assert '<form method="post" class="form"' not in client.get(URL).content.decode()
    assert client.post(URL, FORM).status_code == 403
    assert not ApiKey.objects.exists()


def test_strangers_sign_in_first(browse, db):
    assert browse().get(URL)["Location"].startswith("/signin")
    assert browse().post(URL, FORM)["Location"].startswith("/signin")


def test_other_methods_are_refused(browse, alice):
    assert browse(alice).delete(URL).status_code == 405


def test_a_name_is_text(browse, alice):
    make_key(alice, name="<script>alert(1)</script>")
    assert "<script>alert" not in browse(alice).get(URL).content.decode()


def test_queries_do_not_grow(browse, adam, alice, bob, django_assert_num_queries):
    client = browse(adam)
    make_key(alice)
    with django_assert_num_queries(3):
        client.get(URL)
    for number in range(4):
        make_key(alice, name=f"a{number}")
        make_key(bob, name=f"b{number}")
    with django_assert_num_queries(3):
        client.get(URL)
