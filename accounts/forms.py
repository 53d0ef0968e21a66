"""The forms of the account pages. They check shape; `accounts.flows` and `tokens` decide."""

from datetime import datetime, timedelta
from typing import Any, Final

from django import forms
from django.conf import settings
from django.utils import timezone

from accounts.flows import PASSWORD_MAX_LENGTH
from accounts.models import AccessToken, Scope, User
from accounts.tokens import DEFAULT_DAYS, SCOPE_TEXTS, scopes_for

TOKEN_DAYS: Final = (7, 30, DEFAULT_DAYS, 365)


def _new_password(**attrs: Any) -> forms.CharField:
    """The field of a password to be, with more attributes for its input."""
    return forms.CharField(
        strip=False,
        max_length=PASSWORD_MAX_LENGTH,
        help_text="At least 8 characters; a sentence is better than a word.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", **attrs}),
    )


class _WithNext(forms.Form):
    """A form that remembers where the person was going."""

    next = forms.CharField(required=False, widget=forms.HiddenInput)


class SignInForm(_WithNext):
    """An address and a password."""

    email = forms.EmailField(
        label="E-mail",
        max_length=User.EMAIL_LENGTH,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        strip=False,
        max_length=PASSWORD_MAX_LENGTH,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class PasswordAgainForm(_WithNext):
    """The password of who is signed in."""

    password = forms.CharField(
        strip=False,
        max_length=PASSWORD_MAX_LENGTH,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )


class SignUpForm(_WithNext):
    """What an account needs."""

    name = forms.CharField(
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True}),
    )
    email = forms.EmailField(
        label="E-mail",
        max_length=User.EMAIL_LENGTH,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    password = _new_password()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if settings.REGISTRATION_DOMAINS:
            domains = " or ".join(settings.REGISTRATION_DOMAINS)
            self.fields["email"].help_text = f"An address at {domains}."


class ResetForm(forms.Form):
    """Whose password is to be set anew."""

    email = forms.EmailField(
        label="E-mail",
        max_length=User.EMAIL_LENGTH,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )


class NewPasswordForm(forms.Form):
    """The password to use from now on."""

    new_password = _new_password(autofocus=True)


class EmailChangeForm(forms.Form):
    """The address from now on."""

    email = forms.EmailField(
        label="New e-mail address",
        max_length=User.EMAIL_LENGTH,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True}),
    )


class PasswordChangeForm(forms.Form):
    """The password in use, and the one to use from now on."""

    current_password = forms.CharField(
        strip=False,
        max_length=PASSWORD_MAX_LENGTH,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    new_password = _new_password()


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """What people may change about themselves: the name, and nothing else."""

    class Meta:
        model = User
        fields = ("name",)
        help_texts = {"name": "Shown beside your workflows and runs."}
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "name"})}

    def save(self, commit: bool = True) -> Any:
        """Write the name alone."""
        if commit:
            self.instance.save(update_fields=["name", "updated_at"])
        return self.instance


class ScopeBoxes(forms.CheckboxSelectMultiple):
    """Check boxes, each with a sentence."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """A box, and the words about its scope."""
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        return {**option, "text": SCOPE_TEXTS[Scope(value)]}


class AccessTokenForm(forms.Form):
    """A name, what the token may do, and until when."""

    name = forms.CharField(
        max_length=AccessToken.NAME_LENGTH,
        help_text="What uses it, such as “nightly report on build server”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        widget=ScopeBoxes,
        error_messages={"required": "Choose at least one."},
    )
    days = forms.TypedChoiceField(
        label="Ends",
        coerce=int,
        choices=[(days, f"in {days} days") for days in TOKEN_DAYS],
        initial=DEFAULT_DAYS,
        help_text="Programs that use it are refused from then on.",
    )

    def __init__(self, data: Any, *, user: User) -> None:
        super().__init__(data, initial={"scopes": [Scope.READ]})
        allowed = [(scope.value, scope.label) for scope in scopes_for(user.role)]
        self.fields["scopes"].choices = allowed  # type: ignore[attr-defined]

    @property
    def expires_at(self) -> datetime:
        """The end that was chosen."""
        return timezone.now() + timedelta(days=self.cleaned_data["days"])
