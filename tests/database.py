"""Runs the tests on the database of TEST_DATABASE_URL, where that is set.

pytest-django has read the settings before any conftest is imported, so what it read is replaced.
Tests that say nothing about the database run once, on SQLite: on PostgreSQL they are left out.
"""

import os
from unittest import TestCase

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connections

from hummbl.settings import _database, _installed_apps

# `database` is one that a test makes for itself.
FIXTURES = {"db", "transactional_db", "live_server", "django_db_setup", "database", "is_postgres"}


def use_test_database_url() -> None:
    """Point Django, and the processes that tests start, at TEST_DATABASE_URL."""
    url = os.environ.get("TEST_DATABASE_URL")
    if not url:
        return
    os.environ["DATABASE_URL"] = url
    settings.DATABASES = {"default": _database()}
    installed = _installed_apps(settings.DATABASES["default"])
    if installed != settings.INSTALLED_APPS:
        settings.INSTALLED_APPS = installed
        apps.set_installed_apps(installed)
    connections.settings = connections.configure_settings(settings.DATABASES)
    if hasattr(connections._connections, "default"):
        del connections["default"]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL, leave out what another database would not change."""
    if "postgresql" not in settings.DATABASES["default"]["ENGINE"]:
        return
    left_out = [
        item for item in items if item.get_closest_marker("once") or not uses_database(item)
    ]
    config.hook.pytest_deselected(items=left_out)
    kept = set(items) - set(left_out)
    items[:] = [item for item in items if item in kept]


def uses_database(item: pytest.Item) -> bool:
    """Whether the test can reach the database at all: pytest-django forbids it to the others."""
    return bool(
        item.get_closest_marker("django_db")
        or FIXTURES & set(getattr(item, "fixturenames", ()))
        or issubclass(getattr(item, "cls", None) or object, TestCase)
    )


use_test_database_url()
