import pytest

from tests.factories import make_key
from workflows.models import ApiKey

SECRET = "sk-canary-0123456789-WXYZ"
CUSTOM = {"provider": "custom", "base_url": "https://llm.example.com/v1"}


def url(key):
    return f"/keys/{key.pk}/edit"


def test_renames_and_keeps_the_secret(browse, alice):
    key = make_key(alice)
    before = key.credential().secret
    assert browse(alice).post(url(key), {"name": "team"})["Location"] == "/keys"
    key.refresh_from_db()
    assert key.name == "team"
    assert key.credential().secret == before


def test_puts_a_new_secret_in_place(browse, alice):
    key = make_key(alice)
    browse(alice).post(url(key), {"name": key.name, "key": SECRET})
    key.refresh_from_db()
    assert key.credential().secret == SECRET
    assert key.last_four == "WXYZ"


def test_a_stored_key_cannot_be_sent_elsewhere(browse, alice):
    key = make_key(alice, **CUSTOM)
    data = {"name": key.name, "base_url": "https://evil.example/v1"}
    response = browse(alice).post(url(key), data)
    assert response.status_code == 422
    assert "Enter the key again" in response.content.decode()
    key.refresh_from_db()
    assert key.base_url == CUSTOM["base_url"]
    browse(alice).post(url(key), data | {"key": SECRET})
    key.refresh_from_db()
    assert key.base_url == "https://evil.example/v1"


def test_a_provider_without_addresses_has_no_such_field(browse, alice):
    key = make_key(alice)
    browse(alice).post(
        url(key), {"name": "x", "base_url": "https://evil.example/v1", "key": SECRET}
    )
    key.refresh_from_db()
    assert key.base_url == ""


@pytest.mark.parametrize(
    "change", [{"name": ""}, {"name": "x" * 101}, {"key": "short"}, {"name": "b"}]
)
def test_bad_input_changes_nothing(browse, alice, change):
    key = make_key(alice)
    make_key(alice, name="b")
    response = browse(alice).post(url(key), {"name": "other", "key": SECRET} | change)
    assert response.status_code == 422
    assert SECRET not in response.content.decode()
    before = key.ciphertext
    key.refresh_from_db()
    assert key.name == "main"
    assert bytes(key.ciphertext) == bytes(before)


def test_the_secret_is_never_shown(browse, alice):
    key = make_key(alice, secret=SECRET)
    assert SECRET not in browse(alice).get(url(key)).content.decode()


def test_an_admin_may_not(browse, alice, adam):
    key = make_key(alice)
    assert browse(adam).get(url(key)).status_code == 403
    assert browse(adam).post(url(key), {"name": "x", "key": SECRET}).status_code == 403


def test_another_s_is_not_found(browse, alice, bob):
    assert browse(bob).get(url(make_key(alice))).status_code == 404


def test_who_became_a_viewer_may_not(browse, alice):
    key = make_key(alice)
    alice.role = "viewer"
    alice.save()
    assert browse(alice).post(url(key), {"name": "x"}).status_code == 403


def test_strangers_sign_in_first(browse, alice):
    assert browse().get(url(make_key(alice)))["Location"].startswith("/signin")


def test_other_methods_are_refused(browse, alice):
    assert browse(alice).delete(url(make_key(alice))).status_code == 405
    assert ApiKey.objects.exists()
