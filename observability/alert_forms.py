"""The forms of the alert pages. They check shape; the models decide."""

import math
from datetime import timedelta
from typing import Any, Final

from django import forms
from django.utils import timezone

from accounts.models import User
from observability import names
from observability.alerts import conditions
from observability.models import (
    Aggregate,
    AlertRule,
    AlertState,
    ChannelKind,
    Comparison,
    NotificationChannel,
    Severity,
    Silence,
)
from observability.models.alert_channel import LONGEST_URL
from observability.models.alert_rule import LONGEST_REPEAT, LONGEST_WINDOW, SHORTEST_REPEAT

HOURS: Final = (1, 4, 8, 24, 72, 168)
MINUTE: Final = 60
HOUR: Final = 3600
A_METRIC: Final = "metric"


def _number(label: str, least: float, most: float, help_text: str = "", **kw: Any) -> Any:
    widget = forms.NumberInput(attrs={"step": "any", "autocomplete": "off"})
    return forms.FloatField(
        label=label, min_value=least, max_value=most, help_text=help_text, widget=widget, **kw
    )


class AlertFilterForm(forms.Form):
    """What the address asks for. A part that makes no sense is left out, not refused."""

    state = forms.ChoiceField(required=False, choices=[("", "Any state"), *AlertState.choices])
    severity = forms.ChoiceField(required=False, choices=[("", "Any severity"), *Severity.choices])

    def asked(self) -> dict[str, Any]:
        """What to find."""
        self.full_clean()
        return {name: self.cleaned_data.get(name, "") for name in self.fields}


class RuleForm(forms.Form):
    """A rule in minutes and hours, with its tags as text."""

    name = forms.CharField(max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    condition = forms.ChoiceField(label="Watch")
    metric = forms.ChoiceField(error_messages={"required": "Choose a metric, or a condition."})
    aggregate = forms.ChoiceField(
        label="Of its samples",
        error_messages={"required": "Choose what is made of the metric's samples."},
    )
    tags = forms.CharField(
        required=False,
        max_length=1000,
        help_text="Only samples with these, such as route=/api/workflows, method=GET.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    comparison = forms.ChoiceField(label="Is", choices=Comparison.choices)
    threshold = _number("Threshold", -1e15, 1e15)
    window = _number("Window in minutes", 1, LONGEST_WINDOW / MINUTE, initial=5)
    lasting = _number(
        "Lasting minutes", 0, LONGEST_WINDOW / MINUTE, "How long before it fires.", initial=0
    )
    min_samples = forms.IntegerField(
        label="Samples at least",
        min_value=0,
        max_value=1_000_000,
        initial=1,
        help_text="So that one slow request at night wakes nobody.",
    )
    severity = forms.ChoiceField(choices=Severity.choices, initial=Severity.MEDIUM)
    repeat = _number(
        "Tell again after hours",
        SHORTEST_REPEAT / HOUR,
        LONGEST_REPEAT / HOUR,
        "While it fires, and when it fires anew.",
        initial=4,
    )
    channels = forms.ModelMultipleChoiceField(
        queryset=NotificationChannel.objects.all(),
        required=False,
        help_text="None chosen: all of them.",
        widget=forms.CheckboxSelectMultiple,
    )
    is_active = forms.BooleanField(
        label="Watch this rule",
        required=False,
        initial=True,
        help_text="Switched off, its alert ends and nobody is told.",
    )

    def __init__(self, data: Any = None, *, rule: AlertRule | None = None) -> None:
        super().__init__(data, initial=_as_typed(rule) if rule else None)
        # A rule watches one of the two: where a condition is chosen, these are not asked for.
        watches_metric = (data or {}).get("condition", A_METRIC) == A_METRIC
        self.fields["metric"].required = self.fields["aggregate"].required = watches_metric
        ours = [
            (condition.slug, _described(condition)) for condition in conditions.all_conditions()
        ]
        metrics = [(name, f"{name}: {each.help}") for name, each in names.METRICS.items()]
        if rule:
            ours += _if_missing(ours, rule.condition)
            metrics += _if_missing(metrics, rule.metric)
        self.fields["condition"].choices = [*ours, (A_METRIC, "A metric, chosen below")]  # type: ignore[attr-defined]
        self.fields["metric"].choices = [("", "–"), *metrics]  # type: ignore[attr-defined]
        self.fields["aggregate"].choices = [("", "–"), *Aggregate.choices]  # type: ignore[attr-defined]

    def clean_tags(self) -> dict[str, str]:
        """The pairs that were typed."""
        tags: dict[str, str] = {}
        for pair in filter(None, (part.strip() for part in self.cleaned_data["tags"].split(","))):
            name, equals, value = (part.strip() for part in pair.partition("="))
            if not (name and equals and value):
                raise forms.ValidationError("Write name=value, and a comma between two of them.")
            tags[name] = value
        return tags

    def values(self) -> dict[str, Any]:
        """The columns of the rule, and its channels."""
        given = dict(self.cleaned_data)
        if given["condition"] == A_METRIC:
            given["condition"] = ""
        else:
            given |= {"metric": "", "aggregate": "", "tags": {}}
        return given | {
            "window_seconds": round(given.pop("window") * MINUTE),
            "for_seconds": round(given.pop("lasting") * MINUTE),
            "repeat_seconds": round(given.pop("repeat") * HOUR),
            "channels": list(given["channels"]),
        }


def _described(condition: conditions.Condition) -> str:
    return f"{condition.label}, {condition.unit}" if condition.unit else condition.label


def _if_missing(choices: list[tuple[str, str]], value: str) -> list[tuple[str, str]]:
    """What a rule has that is not offered any more, so that saving it changes nothing."""
    return [(value, value)] if value and value not in dict(choices) else []


def _as_typed(rule: AlertRule) -> dict[str, Any]:
    columns = ("name", "metric", "aggregate", "comparison", "min_samples", "severity")
    return {name: getattr(rule, name) for name in (*columns, "is_active")} | {
        "condition": rule.condition or A_METRIC,
        "tags": ", ".join(f"{name}={value}" for name, value in rule.tags.items()),
        "threshold": _plain(rule.threshold),
        "window": _plain(rule.window_seconds / MINUTE),
        "lasting": _plain(rule.for_seconds / MINUTE),
        "repeat": _plain(rule.repeat_seconds / HOUR),
        "channels": list(rule.channels.all()),
    }


def _plain(value: float) -> float | int:
    return int(value) if math.isfinite(value) and value == int(value) else value


class ChannelForm(forms.Form):
    """A channel. What belongs to the other kind is left out."""

    kind = forms.ChoiceField(choices=ChannelKind.choices)
    name = forms.CharField(
        max_length=100,
        help_text="Such as “On call” or “#alerts”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    addresses = forms.CharField(
        label="E-mail addresses",
        required=False,
        max_length=6000,
        help_text="With commas between them. Empty: every administrator.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    url = forms.CharField(
        label="Address of the webhook",
        required=False,
        max_length=LONGEST_URL,
        help_text="Slack, Mattermost, Rocket.Chat, or a program of yours. Kept encrypted.",
        widget=forms.URLInput(attrs={"autocomplete": "off", "placeholder": "https://"}),
    )
    is_active = forms.BooleanField(label="Tell this channel", required=False, initial=True)

    def __init__(self, data: Any = None, *, channel: NotificationChannel | None = None) -> None:
        self.channel = channel
        initial = None
        if channel:
            typed = ", ".join(channel.addresses)
            initial = {"name": channel.name, "addresses": typed, "is_active": channel.is_active}
        super().__init__(data, initial=initial)
        # Of the two that a new channel may have, only this one is needed.
        self.fields["url"].required = (
            channel is None and (data or {}).get("kind") != ChannelKind.EMAIL
        )
        if channel:
            del self.fields["kind"]
            del self.fields["url" if channel.kind == ChannelKind.EMAIL else "addresses"]
            if "url" in self.fields:
                self.fields["url"].help_text = f"Empty: as before, at {channel.host}."

    def values(self) -> dict[str, Any]:
        """What `NotificationChannel.create` or `change` takes."""
        given = dict(self.cleaned_data)
        if "addresses" in given:
            parts = given["addresses"].replace(";", ",").split(",")
            given["addresses"] = [part.strip() for part in parts if part.strip()]
        other = {ChannelKind.EMAIL.value: "url", ChannelKind.WEBHOOK.value: "addresses"}
        given.pop(other.get(given.get("kind", ""), ""), None)
        return given


class SilenceForm(forms.Form):
    """From now on, for so many hours."""

    rule = forms.ModelChoiceField(
        queryset=AlertRule.objects.all(), required=False, empty_label="Every rule"
    )
    hours = forms.TypedChoiceField(
        label="For",
        coerce=int,
        initial=4,
        choices=[
            (n, f"{n} hour{'s' if n > 1 else ''}" if n < 48 else f"{n // 24} days") for n in HOURS
        ],
    )
    reason = forms.CharField(max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def save(self, by: User) -> Silence:
        """The silence that was asked for."""
        given = self.cleaned_data
        ends_at = timezone.now() + timedelta(hours=given["hours"])
        return Silence.create(by=by, rule=given["rule"], ends_at=ends_at, reason=given["reason"])
