"""/keys and what is below it want a recent sign-in, after the object and the role."""

import pytest

from tests.factories import make_key
from workflows.models import ApiKey
from workflows.providers.key_check import KeyCheck

URL = "/keys"
FORM = {"provider": "openai", "name": "main", "key": "sk-canary-0123456789-WXYZ"}
ACTIONS = ["edit", "toggle", "delete"]


@pytest.fixture
def old(browse, clock):
    """`old(alice)` is her browser, fifteen minutes after she signed in."""

    def make(user):
        client = browse(user)
        clock.advance(15 * 60)
        return client

    return make


def url(key, action):
    return f"{URL}/{key.pk}/{action}"


def test_looking_and_testing_stay_open(old, alice, monkeypatch):
    """security.md 10: what changes nothing asks for nothing."""
    monkeypatch.setattr(ApiKey, "test", lambda key: KeyCheck(True, "ok", "It works."))
    key, client = make_key(alice, name="hers"), old(alice)
    assert "hers" in client.get(URL).content.decode()
    answer = client.post(url(key, "test"))
    assert answer["Location"] == URL


def test_nothing_is_stored(old, alice):
    """security.md 10."""
    assert old(alice).post(URL, FORM).status_code == 403
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_is_changed(old, alice, action):
    """security.md 10."""
    key = make_key(alice, name="hers")
    answer = old(alice).post(url(key, action), {"name": "other", "active": "false"})
    assert answer.status_code == 403
    assert "Enter your password again" in answer.content.decode()
    found = ApiKey.objects.get()
    assert (found.name, found.is_active) == ("hers", True)


def test_the_form_is_not_shown_before(old, alice):
    key = make_key(alice)
    address = url(key, "edit")
    expected = f"/reauthenticate?next=%2Fkeys%2F{key.pk}%2Fedit"
    assert old(alice).get(address)["Location"] == expected


@pytest.mark.parametrize("action", ACTIONS)
def test_another_s_is_not_found_however_old_the_sign_in(old, alice, bob, action):
    """security.md 1: a question for the password would say that it is there."""
    assert old(bob).post(url(make_key(alice), action)).status_code == 404


@pytest.mark.parametrize("action", ["", *ACTIONS])
def test_a_role_is_refused_before_the_password_is_asked_for(old, alice, action):
    key = make_key(alice)
    alice.role = "viewer"
    alice.save()
    answer = old(alice).post(url(key, action) if action else URL, FORM)
    assert answer.status_code == 403
    assert "Enter your password again" not in answer.content.decode()


def test_an_admin_gives_it_to_stop_another_s(old, alice, adam):
    key = make_key(alice)
    answer = old(adam).post(url(key, "toggle"), {"active": "false"})
    assert "Enter your password again" in answer.content.decode()
    assert ApiKey.objects.get().is_active
