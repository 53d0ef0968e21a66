"""Procrastinate's tables in the admin: not there, where nobody has use for them."""

from django.apps import apps
from django.contrib import admin


def hide() -> None:
    """Take out what its app has put in. Where there is no PostgreSQL there is nothing."""
    if not apps.is_installed("procrastinate.contrib.django"):
        return
    for model in apps.get_app_config("procrastinate").get_models():
        if admin.site.is_registered(model):
            admin.site.unregister(model)
