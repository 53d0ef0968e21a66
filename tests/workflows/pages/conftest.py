"""What the page tests share."""

import pytest
from django.test import Client


@pytest.fixture
def browse():
    """`browse(alice)` is a client with her session; `browse()` one of a stranger."""

    def make(user=None) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user)
        return client

    return make


@pytest.fixture
def fragment():
    """The headers of an htmx request."""
    return {"HTTP_HX_REQUEST": "true"}
