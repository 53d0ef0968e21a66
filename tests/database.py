"""Runs the tests on the database of TEST_DATABASE_URL, where that is set.

pytest-django has read the settings before any conftest is imported, so what it read is replaced.
"""

import os

from django.conf import settings
from django.db import connections

from hummbl.settings import _database


def use_test_database_url() -> None:
    """Point Django, and the processes that tests start, at TEST_DATABASE_URL."""
    url = os.environ.get("TEST_DATABASE_URL")
    if not url:
        return
    os.environ["DATABASE_URL"] = url
    settings.DATABASES = {"default": _database()}
    connections.settings = connections.configure_settings(settings.DATABASES)
    if hasattr(connections._connections, "default"):
        del connections["default"]


use_test_database_url()
