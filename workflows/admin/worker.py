"""Workers in the Django admin."""

from django.contrib import admin

from accounts.admin.pages import History
from workflows.models import (
    Worker,
)


@admin.register(Worker)
class WorkerAdmin(History):
    """Who runs executions, or ran them and died."""

    list_display = ("name", "version", "executions", "seen_at", "created_at")
    ordering = ("-seen_at",)
