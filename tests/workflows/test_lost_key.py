"""A provider key whose encryption key is gone: said where it is met, and nothing else is lost."""

import pytest

from hummbl.encryption import DecryptionError
from tests.factories import make_key
from workflows.models import ApiKey

SECRET = "sk-canary-5f1d7c3a9b"
LOST = "This key cannot be read any more: it was encrypted with a key that is no longer in"


OLD, NEW = "A" * 43 + "=", "A" * 42 + "E="


@pytest.fixture
def lost(alice, settings):
    """A key from before ENCRYPTION_KEYS changed."""
    settings.ENCRYPTION_KEYS = [OLD]
    key = make_key(alice, name="lost", secret=SECRET)
    settings.ENCRYPTION_KEYS = [NEW]
    return key


@pytest.fixture
def whole(alice, lost):
    """A key from after."""
    return make_key(alice, name="whole")


@pytest.fixture
def her(client, alice):
    client.force_login(alice)
    return client


def test_the_list_of_the_api_marks_it(api, alice, lost, whole, monkeypatch):
    """security.md 15: a wrong key loses nothing; and the list decrypts nothing."""
    monkeypatch.setattr(ApiKey, "credential", None)
    rows = api(alice).get("/api/keys").json()["results"]
    assert {row["name"]: row["is_readable"] for row in rows} == {"lost": False, "whole": True}


def test_the_page_marks_it(her, lost, whole):
    page = her.get("/keys").content.decode()
    assert page.count(LOST) == 1
    assert f'<a href="/keys/{lost.pk}/edit">Enter it again.</a>' in page
    assert "whole" in page
    assert LOST in her.get(f"/keys/{lost.pk}/edit").content.decode()
    assert LOST not in her.get(f"/keys/{whole.pk}/edit").content.decode()


def test_an_admin_is_told_whose_it_is(client, adam, lost):
    client.force_login(adam)
    page = client.get("/keys").content.decode()
    assert LOST in page
    assert "Its owner has to enter it again." in page


def test_a_test_says_so(her, lost):
    page = her.post(f"/keys/{lost.pk}/test", HTTP_HX_REQUEST="true").content.decode()
    assert "The OpenAI key “lost” cannot be read any more" in page
    assert "Enter it again." in page


def test_another_name_does_not_heal_it(her, lost):
    her.post(f"/keys/{lost.pk}/edit", {"name": "renamed", "key": ""})
    lost.refresh_from_db()
    assert (lost.name, lost.is_readable) == ("renamed", False)


def test_a_new_key_on_the_page_heals_it(her, lost):
    assert (
        her.post(f"/keys/{lost.pk}/edit", {"name": "lost", "key": "sk-new-00000000"}).url == "/keys"
    )
    lost.refresh_from_db()
    assert lost.is_readable
    assert lost.credential().secret == "sk-new-00000000"
    assert LOST not in her.get("/keys").content.decode()


def test_a_new_key_over_the_api_heals_it(api, alice, lost):
    answer = api(alice).patch(f"/api/keys/{lost.pk}", {"key": "sk-new-00000000"}, format="json")
    assert (answer.status_code, answer.json()["is_readable"]) == (200, True)
    lost.refresh_from_db()
    assert lost.credential().secret == "sk-new-00000000"


def test_it_can_be_stopped_and_deleted(api, alice, lost):
    client, url = api(alice), f"/api/keys/{lost.pk}"
    assert client.patch(url, {"is_active": False}, format="json").status_code == 200
    assert client.delete(url).status_code == 204


def test_with_the_encryption_key_back_it_reads_again(lost, settings):
    with pytest.raises(DecryptionError, match="Enter it again") as caught:
        lost.credential()
    assert SECRET not in str(caught.value)
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert lost.credential().secret == SECRET


def test_a_ciphertext_copied_to_another_row_does_not_decrypt(alice, bob, api):
    """security.md 15: an UPDATE in the database gives nobody another's key."""
    hers, his = make_key(alice, secret=SECRET), make_key(bob)
    stolen = ApiKey.objects.get(pk=hers.pk).ciphertext
    assert ApiKey.objects.filter(pk=his.pk).update(ciphertext=stolen) == 1

    with pytest.raises(DecryptionError, match="was changed or belongs to another record"):
        ApiKey.objects.get(pk=his.pk).credential()

    answer = api(bob).post(f"/api/keys/{his.pk}/test").json()
    assert (answer["ok"], answer["code"]) == (False, "decryption_failed")
    assert ApiKey.objects.get(pk=hers.pk).credential().secret == SECRET
