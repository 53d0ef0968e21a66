"""Django app configuration."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class AccountsConfig(AppConfig):
    """The accounts app."""

    name = "accounts"

    def ready(self) -> None:
        """Keep a log of refusals, and say what may be cleaned up."""
        from accounts import checks, housekeeping  # noqa: F401 - the checks register themselves
        from accounts.audit import refusals
        from accounts.audit.log import register_page
        from accounts.models import User
        from hummbl.refusals import register

        register("audit", refusals.note)
        register_page(User, "manage_user")
        housekeeping.register()


class AdminConfig(admin_apps.AdminConfig):
    """Django's admin, entered through our own sign-in page."""

    default = False
    default_site = "accounts.admin_site.AdminSite"
