"""The forms of the account pages. They check shape; `accounts.flows` decides."""

from typing import Any

from django import forms
from django.conf import settings

from accounts.flows import PASSWORD_MAX_LENGTH
from accounts.models import User

EMAIL_LENGTH = 254


class _WithNext(forms.Form):
    """A form that remembers where the person was going."""

    next = forms.CharField(required=False, widget=forms.HiddenInput)


class SignInForm(_WithNext):
    """An address and a password."""

    email = forms.EmailField(
        label="E-mail",
        max_length=EMAIL_LENGTH,
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
        max_length=EMAIL_LENGTH,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    password = forms.CharField(
        strip=False,
        max_length=PASSWORD_MAX_LENGTH,
        help_text="At least 8 characters; a sentence is better than a word.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if settings.REGISTRATION_DOMAINS:
            domains = " or ".join(settings.REGISTRATION_DOMAINS)
            self.fields["email"].help_text = f"Only addresses at {domains} may sign up here."


class ResetForm(forms.Form):
    """Whose password is to be set anew."""

    email = forms.EmailField(
        label="E-mail",
        max_length=EMAIL_LENGTH,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )


class NewPasswordForm(forms.Form):
    """The password to use from now on."""

    new_password = forms.CharField(
        strip=False,
        max_length=PASSWORD_MAX_LENGTH,
        help_text="At least 8 characters; a sentence is better than a word.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "autofocus": True}),
    )


class EmailChangeForm(forms.Form):
    """The address from now on."""

    email = forms.EmailField(
        label="New e-mail address",
        max_length=EMAIL_LENGTH,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True}),
    )


class PasswordChangeForm(forms.Form):
    """The password in use, and the one to use from now on."""

    current_password = forms.CharField(
        strip=False,
        max_length=PASSWORD_MAX_LENGTH,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    new_password = forms.CharField(
        strip=False,
        max_length=PASSWORD_MAX_LENGTH,
        help_text="At least 8 characters; a sentence is better than a word.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


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
