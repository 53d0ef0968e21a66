"""The world that the matrix is played in."""

import logging

import pytest

from tests.security.world import make_world
from workflows.models import ApiKey
from workflows.providers.key_check import KeyCheck


@pytest.fixture
def world(db, monkeypatch):
    """One of everything. No provider is asked."""
    monkeypatch.setattr(ApiKey, "test", lambda _key: KeyCheck(True, "ok", "The key works."))
    # A line of the access log for each of thousands of requests helps nobody.
    logging.disable(logging.CRITICAL)
    yield make_world()
    logging.disable(logging.NOTSET)
