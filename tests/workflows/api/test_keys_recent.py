"""`/api/keys` wants a recent sign-in to change anything, after the object and the role."""

import pytest

from tests.factories import make_key
from workflows.models import ApiKey

URL = "/api/keys"
BODY = {"provider": "openai", "name": "main", "key": "sk-canary-0123456789-WXYZ"}


@pytest.fixture
def old(api, clock):
    """`old(alice)` is a program of hers, fifteen minutes after it signed in."""

    def make(user):
        client = api(user)
        clock.advance(15 * 60)
        return client

    return make


def change(client, key, method):
    return getattr(client, method)(f"{URL}/{key.pk}", {"name": "other"})


def test_reading_stays_open(old, alice):
    make_key(alice)
    assert len(old(alice).get(URL).json()["results"]) == 1


def test_nothing_is_stored(old, alice):
    """security.md 10."""
    answer = old(alice).post(URL, BODY)
    assert (answer.status_code, answer.json()["code"]) == (403, "reauthentication_required")
    assert "/api/auth/reauthenticate" in answer.json()["error"]
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_nothing_is_changed(old, alice, method):
    """security.md 10."""
    answer = change(old(alice), make_key(alice, name="hers"), method)
    assert (answer.status_code, answer.json()["code"]) == (403, "reauthentication_required")
    assert ApiKey.objects.get().name == "hers"


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_another_s_is_not_found_however_old_the_sign_in(old, alice, bob, method):
    """security.md 1: a question for the password would say that it is there."""
    assert change(old(bob), make_key(alice), method).status_code == 404


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_a_role_is_refused_first(old, alice, method):
    key = make_key(alice)
    alice.role = "viewer"
    alice.save()
    assert change(old(alice), key, method).json()["code"] == "read_only_role"


def test_what_an_admin_may_not_is_refused_first(old, alice, adam):
    assert change(old(adam), make_key(alice), "patch").json()["code"] == "forbidden"


def test_after_the_password_it_goes(old, alice):
    client = old(alice)
    client.post("/api/auth/reauthenticate", {"password": "correct horse battery"})
    assert client.post(URL, BODY).status_code == 201
