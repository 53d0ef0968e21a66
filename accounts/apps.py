"""Django app configuration."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class AccountsConfig(AppConfig):
    """The accounts app."""

    name = "accounts"

    def ready(self) -> None:
        """Keep a log of refusals, and say what may be cleaned up."""
        from accounts import (  # noqa: F401 - the checks register themselves
            audit_log,
            checks,
            housekeeping,
            refusals,
        )
        from accounts.models import User
        from hummbl.refusals import register

        register("audit", refusals.note)
        audit_log.register_page(User, "manage_user")
        housekeeping.register()


class AdminConfig(admin_apps.AdminConfig):
    """Django's admin, entered through our own sign-in page."""

    default = False
    default_site = "accounts.admin_site.AdminSite"
