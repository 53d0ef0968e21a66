"""Giving the password again, in the middle of something."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Session
from tests.factories import PASSWORD
from workflows.models import ApiKey


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without scripts"])
def test_a_form_that_was_sent_goes_on(page, sign_in, alice, every_look, javascript):
    """security.md 10: an old sign-in loses nothing that was typed."""
    sign_in(alice)
    Session.objects.update(authenticated_at=timezone.now() - timedelta(hours=1))
    page.goto("/keys")
    page.get_by_label("Name").fill("main")
    page.get_by_label("Key", exact=True).fill("sk-canary-0123456789-WXYZ")
    page.get_by_role("button", name="Add key").click()

    page.get_by_text("What you sent is kept").wait_for()
    if javascript:
        every_look(page)
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("This is not your current password.").wait_for()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()

    page.get_by_text("The key “main” was stored.").wait_for()
    assert ApiKey.objects.get().last_four == "WXYZ"
