"""Django app configuration."""

from typing import Any

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin import apps as admin_apps
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core.checks import CheckMessage, Tags
from django.core.checks import register as register_check


class AccountsConfig(AppConfig):
    """The accounts app."""

    name = "accounts"

    def ready(self) -> None:
        """Keep a log of refusals, and say what may be cleaned up."""
        from accounts import backups, checks, housekeeping  # noqa: F401 - checks by themselves
        from accounts.audit import refusals
        from accounts.audit.log import register_page
        from accounts.models import User
        from hummbl.refusals import register

        register("audit", refusals.note)
        register_page(User, "manage_user")
        housekeeping.register()
        backups.register()


class AdminConfig(admin_apps.SimpleAdminConfig):
    """Django's admin, entered through our own sign-in page.

    Its pages are looked for with the first request (`hummbl.urls`) and by `manage.py check`: a
    worker has no use for the 4 MB that they and what they show take.
    """

    default = False
    default_site = "accounts.admin_site.AdminSite"

    def ready(self) -> None:
        """Register Django's checks, so that they look at all pages in whatever order checks run."""
        register_check(check_dependencies, Tags.admin)
        register_check(_check_pages, Tags.admin)


def _check_pages(**of: Any) -> list[CheckMessage]:
    admin.autodiscover()
    found: list[CheckMessage] = check_admin_app(**of)
    return found
