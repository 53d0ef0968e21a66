"""The Django admin's user form wants a recent sign-in, as our own pages do."""

import html
import re

import pytest
from django.test import Client

from accounts.models import User
from accounts.views import kept_form
from tests.accounts.admin_forms import user_form
from tests.factories import PASSWORD

USERS = "/admin/accounts/user/"


@pytest.fixture
def old(adam, clock):
    browser = Client()
    browser.force_login(adam)
    clock.advance(15 * 60)
    return browser


@pytest.mark.parametrize("page", ["add/", "{}/change/", "{}/delete/"])
def test_the_password_is_asked_for_first(old, alice, page):
    """security.md 10."""
    answer = old.get(USERS + page.format(alice.pk))
    assert answer["Location"].startswith("/reauthenticate?next=%2Fadmin%2Faccounts%2Fuser%2F")


def test_the_list_stays_open(old):
    assert old.get(USERS).status_code == 200


@pytest.mark.parametrize("page", ["change/", "delete/"])
def test_nothing_is_changed(old, alice, page):
    """security.md 10."""
    sent = user_form(alice, role="admin") if page == "change/" else {"post": "yes"}
    assert old.post(f"{USERS}{alice.pk}/{page}", sent).status_code == 403
    assert User.objects.get(pk=alice.pk).role == "user"


def test_what_was_sent_goes_on_after_the_password(old, alice):
    url = f"{USERS}{alice.pk}/change/"
    asked = old.post(url, user_form(alice, role="viewer")).content.decode()
    kept = html.unescape(re.search(rf'name="{kept_form.FIELD}" value="([^"]*)"', asked)[1])
    assert old.post(url, {kept_form.FIELD: kept, "password": PASSWORD})["Location"] == USERS
    assert User.objects.get(pk=alice.pk).role == "viewer"


def test_others_are_not_asked(client, alice, clock):
    client.force_login(alice)
    clock.advance(15 * 60)
    assert client.get(f"{USERS}add/", follow=True).status_code == 403
