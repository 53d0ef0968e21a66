"""Users and their sessions in the Django admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts import flows
from accounts.admin_pages import ROWS, MadeElsewhere, link_to, link_to_list
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
        "signed_in",
        "created_at",
        "updated_at",
    )
    readonly_fields = ("last_login", "signed_in", "created_at", "updated_at")
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
        """Save, with the new password if there is one; who is deactivated is signed out."""
        password = form.cleaned_data.get("new_password")
        if not change:
            obj.set_password(password)
        super().save_model(request, obj, form, change)
        if change and password:
            flows.set_password(obj, password, actor=request.user)
        if not obj.is_active:
            obj.sessions.all().delete()

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Not for the last administrator."""
        if obj is not None and is_last_admin(obj):
            return False
        return super().has_delete_permission(request, obj)


@admin.register(Session)
class SessionAdmin(MadeElsewhere):
    """Which browsers and programs are signed in: to look at and to end."""

    fields = (
        *("user", "kind", "device", "user_agent", "ip"),
        *("created_at", "last_used_at", "expires_at"),
    )
    list_display = (*("device", "kind", "whose", "ip", "created_at", "last_used_at", "expires_at"),)
    list_filter = ("kind", "last_used_at")
    list_select_related = ("user",)
    date_hierarchy = "created_at"
    ordering = ("-id",)
    search_fields = ("user__email", "user_agent", "ip")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        """Those that have not expired."""
        return super().get_queryset(request).alive()  # type: ignore[attr-defined,no-any-return]

    def has_change_permission(self, request: HttpRequest, obj: Session | None = None) -> bool:
        """There is nothing to change about one."""
        return False

    @admin.display(description="user", ordering="user__email")
    def whose(self, session: Session) -> SafeString:
        """The user."""
        return link_to(session.user)


def is_last_admin(user: User) -> bool:
    """Whether nobody else could administer this installation."""
    if user._state.adding:  # noqa: SLF001
        return False
    admins = User.objects.filter(role=Role.ADMIN, is_active=True)
    return admins.filter(pk=user.pk).exists() and not admins.exclude(pk=user.pk).exists()
