"""The world that the matrix is played in."""

import logging

import pytest

from tests.security.world import make_world
from workflows.api import executions
from workflows.models import ApiKey
from workflows.providers.key_check import KeyCheck


@pytest.fixture
def world(db, monkeypatch):
    """One of everything. No provider is asked, and a stream keeps the test's connection."""
    monkeypatch.setattr(ApiKey, "test", lambda _key: KeyCheck(True, "ok", "The key works."))
    monkeypatch.setattr(executions, "close_old_connections", lambda: None)
    # A line of the access log for each of thousands of requests helps nobody.
    logging.disable(logging.CRITICAL)
    yield make_world()
    logging.disable(logging.NOTSET)
