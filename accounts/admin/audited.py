"""What is done in the Django admin, in the audit log."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from accounts import audit
from accounts.models import Action


class Audited(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Notes what was added, changed and deleted: every model of the admin is one of these.

    A change that calls the method which the pages call is noted there, by an action of its own.
    So that it does not come twice, `noted_fields` names the fields whose changes are, and
    `notes_addition` and `notes_deletion` say that those are.
    """

    noted_fields: Iterable[str] = ()
    notes_addition = False
    notes_deletion = False

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Django's own message. It is made once for each form that was saved."""
        if add and not self.notes_addition:
            _record(request, form.instance, "added")
        elif not add and (fields := self._not_noted(form)):
            _record(request, form.instance, "changed", fields=fields)
        return super().construct_change_message(request, form, formsets, add)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> Any:
        """Django's own entries, which it makes right before the deletion."""
        if not self.notes_deletion:
            for obj in queryset:
                _record(request, obj, "deleted")
        return super().log_deletions(request, queryset)  # type: ignore[arg-type]  # or a list

    def _not_noted(self, form: forms.ModelForm[Any]) -> list[str]:
        return [name for name in form.changed_data if name not in self.noted_fields]


def _record(request: HttpRequest, obj: Model, what: str, **data: Any) -> None:
    audit.record(Action.ADMIN_CHANGED, actor=request.user, obj=obj, what=what, **data)
