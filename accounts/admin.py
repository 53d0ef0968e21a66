"""Users and bearer sessions in the Django admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest

from accounts import flows
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
        return str(self.cleaned_data["email"]).lower()

    def clean_new_password(self) -> str:
        """The new password, if any, when Django's validators find it strong enough."""
        password = str(self.cleaned_data["new_password"])
        if password:
            validate_password(password, self.instance)
        return password

    def clean(self) -> dict[str, Any]:
        """Refuse what would leave nobody to administer the installation."""
        cleaned = super().clean() or {}
        remains = cleaned.get("role") == Role.ADMIN and cleaned.get("is_active")
        if is_last_admin(self.instance) and not remains:
            raise forms.ValidationError(
                "This is the last active administrator. Make one more first."
            )
        return cleaned


@admin.register(User)
class UserAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Users; the password hash is shown nowhere."""

    form = UserForm
    fields = (
        "email",
        "name",
        "role",
        "is_active",
        "new_password",
        "last_login",
        "created_at",
        "updated_at",
    )
    readonly_fields = ("last_login", "created_at", "updated_at")
    list_display = ("email", "name", "role", "is_active", "last_login", "created_at")
    list_filter = ("role", "is_active")
    search_fields = ("email", "name")
    ordering = ("email",)
    # No deleting by the dozen: what a user owns goes with the user.
    actions = None

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save, with the new password if there is one; who is deactivated is signed out."""
        password = form.cleaned_data.get("new_password")
        if not change:
            obj.set_password(password)
        super().save_model(request, obj, form, change)
        if change and password:
            flows.set_password(obj, password)
        if not obj.is_active:
            obj.sessions.all().delete()

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Not for the last administrator."""
        if obj is not None and is_last_admin(obj):
            return False
        return super().has_delete_permission(request, obj)


@admin.register(Session)
class SessionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Who is signed in with a bearer token: to look at and to end."""

    fields = ("user", "ip", "user_agent", "created_at", "last_used_at", "expires_at")
    list_display = fields
    list_select_related = ("user",)
    search_fields = ("user__email",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Sessions begin at sign-in."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Session | None = None) -> bool:
        """There is nothing to change about one."""
        return False


def is_last_admin(user: User) -> bool:
    """Whether nobody else could administer this installation."""
    if user._state.adding:  # noqa: SLF001
        return False
    admins = User.objects.filter(role=Role.ADMIN, is_active=True)
    return admins.filter(pk=user.pk).exists() and not admins.exclude(pk=user.pk).exists()
