"""Users in the Django admin."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import admin as auth_admin  # noqa: F401 - registers groups, to be undone
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts import addresses, flows, mail, users
from accounts.admin.audited import Audited
from accounts.admin.pages import ROWS, WantsPassword, link_to_list
from accounts.errors import EmailRefused, LastAdmin
from accounts.flows import PASSWORD_MAX_LENGTH
from accounts.models import Role, Session, User

# Roles are all that there is: nothing reads a group.
admin.site.unregister(Group)


class UserForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A user with, when it is to be set, a new password."""

    new_password = forms.CharField(
        strip=False,
        max_length=PASSWORD_MAX_LENGTH,
        required=False,
        help_text="Setting one signs the user out everywhere.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = User
        fields = ("email", "name", "role", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:  # noqa: SLF001
            self.fields["new_password"].required = True
            self.fields["new_password"].help_text = ""

    def clean_email(self) -> str:
        """The address as sign-in looks for it."""
        try:
            return addresses.clean(self.cleaned_data["email"])
        except EmailRefused as error:
            raise forms.ValidationError(error.message) from error

    def clean_new_password(self) -> str:
        """The new password, if any, when Django's validators find it strong enough."""
        password = str(self.cleaned_data["new_password"])
        if password:
            validate_password(password, self.instance)
        return password

    def clean(self) -> dict[str, Any]:
        """Say here what `accounts.users` would refuse; it decides, for two may save at once."""
        cleaned = super().clean() or {}
        remains = cleaned.get("role") == Role.ADMIN and cleaned.get("is_active")
        is_new = self.instance._state.adding  # noqa: SLF001
        if not is_new and not remains and users.is_last_admin(self.instance):
            raise forms.ValidationError(LastAdmin().message)
        return cleaned


@admin.register(User)
class UserAdmin(WantsPassword, Audited):
    """Users; the password hash is shown nowhere. What is done here, `accounts.users` does."""

    noted_fields = ("email", "name", "role", "is_active", "new_password")
    notes_addition = True
    notes_deletion = True

    form = UserForm
    fields = (
        "email",
        "name",
        "role",
        "is_active",
        "new_password",
        "email_verified_at",
        "last_login",
        "signed_in",
        "created_at",
        "updated_at",
    )
    readonly_fields = ("email_verified_at", "last_login", "signed_in", "created_at", "updated_at")
    list_display = ("email", "name", "role", "is_active", "last_login", "signed_in", "created_at")
    list_filter = ("role", "is_active", "last_login")
    date_hierarchy = "created_at"
    search_fields = ("email", "name")
    ordering = ("email",)
    list_per_page = ROWS
    show_full_result_count = False
    # No deleting by the dozen: what a user owns goes with the user.
    actions = None

    @admin.display(description="signed in")
    def signed_in(self, user: User) -> SafeString:
        """Where."""
        return link_to_list(Session, "Sessions", user=user.pk)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """As the pages do it; an address that is entered here counts as verified."""
        password = form.cleaned_data.get("new_password")
        if not change:
            obj.set_password(password)
            users.create(obj, by=request.user)
            return
        asked = {name: form.cleaned_data[name] for name in ("role", "is_active")}
        changes = {name: value for name, value in asked.items() if name in form.changed_data}
        users.change(obj, by=request.user, **changes)
        old = users.edit(obj, by=request.user, email=obj.email, name=obj.name)
        if old:
            transaction.on_commit(partial(mail.send_email_changed, request, obj, old))
        if password:
            flows.set_password(obj, password, by=request.user)
            transaction.on_commit(partial(mail.send_password_changed, request, obj))

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """With all that is the user's alone; not when there are runs, which stay."""
        users.delete(obj, by=request.user)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes with a user, history of workflows included; runs of their own protect them."""
        deleted, counts, _, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, set(), protected

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Not for the last administrator."""
        if obj is not None and users.is_last_admin(obj):
            return False
        return super().has_delete_permission(request, obj)
