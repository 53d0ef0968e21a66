"""What the tests of the engine share."""

import pytest

from tests.engine.fleet import make_chain


@pytest.fixture
def chain(alice, llmock, settings):
    """A workflow of three tasks in a row."""
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    return make_chain(alice, llmock)
