"""The form that makes an access token. It checks shape; `accounts.tokens` decides."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from accounts.models import AccessToken, Scope, User
from accounts.tokens import DEFAULT_DAYS, SCOPE_TEXTS, scopes_for

_DAYS = (7, 30, DEFAULT_DAYS, 365)


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
        choices=[(days, f"in {days} days") for days in _DAYS],
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
