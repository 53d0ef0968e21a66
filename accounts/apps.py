"""Django app configuration."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class AccountsConfig(AppConfig):
    """The accounts app."""

    name = "accounts"


class AdminConfig(admin_apps.AdminConfig):
    """Django's admin, entered through our own sign-in page."""

    default = False
    default_site = "accounts.admin_site.AdminSite"
