"""The forms of the pages. What is true of a document is said by `workflows.definition` alone."""

from functools import cached_property
from typing import Any, Final

from django import forms
from django.db import transaction
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from accounts.models import User
from workflows import drafts
from workflows.drafts import Row
from workflows.models import ApiKey, Workflow
from workflows.models.api_key import KeyProvider
from workflows.providers import catalogue

PROVIDERS: Final = (
    ("local", "Embedded model"),
    ("anthropic", "Anthropic"),
    ("openai", "OpenAI"),
    ("custom", "Custom (OpenAI-compatible)"),
)


class TypedField(forms.CharField):
    """Text as it was typed. `required` is for the label: what is missing, the definition says."""

    def validate(self, value: Any) -> None:
        """Accept anything."""


def _line(
    label: str, *, required: bool = False, help_text: str = "", **attrs: Any
) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off", **attrs})
    return TypedField(label=label, required=required, help_text=help_text, widget=widget)


def _choice(label: str, choices: Any = ()) -> forms.CharField:
    return TypedField(label=label, widget=forms.Select(choices=choices))


def _number(label: str, **attrs: Any) -> forms.CharField:
    return _line(label, inputmode="decimal", **attrs)


def _text(
    label: str, *, required: bool = False, help_text: str = "", rows: int = 4, **attrs: Any
) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows, **attrs})
    return TypedField(
        label=label, required=required, strip=False, help_text=help_text, widget=widget
    )


def cost_cap_field(label: str, help_text: str) -> forms.DecimalField:
    """US dollars as the columns hold them; empty for no cap."""
    return forms.DecimalField(
        label=label,
        required=False,
        min_value=0,
        max_digits=16,
        decimal_places=8,
        help_text=help_text,
        widget=forms.NumberInput(attrs={"step": "any", "autocomplete": "off"}),
    )


class DetailsForm(forms.ModelForm[Workflow]):
    """What a workflow has beside its document."""

    input_schema = _text(
        "Input schema",
        rows=6,
        spellcheck="false",
        help_text="JSON Schema of the run's input. The run form is made from its properties.",
    )
    cost_cap = cost_cap_field(
        "Cost cap per run, USD", "A run stops before it spends more. Empty: no cap."
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Workflow
        fields = ("name", "description", "status", "is_shared", "cost_cap")
        labels = {"is_shared": "Share with everyone"}
        help_texts = {
            "is_shared": "Everyone who signs in may read it. Only you may change and run it.",
            "status": "Only an active workflow runs.",
        }
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "off"}),
            "description": forms.Textarea(attrs={"rows": 2}),
        }


class _RowForm(forms.Form):
    """One agent or task, as typed."""

    use_required_attribute = False

    def __init__(self, row: Row, *, prefix: str) -> None:
        super().__init__({f"{prefix}-{name}": text for name, text in row.items()}, prefix=prefix)


class AgentForm(_RowForm):
    """One agent, as typed."""

    name = _line("Name", required=True, placeholder="Researcher")
    provider = _choice("Provider", PROVIDERS)
    model = _line("Model", required=True, spellcheck="false")
    role = _line("Role", placeholder="researcher")
    instructions = _text(
        "Instructions", rows=3, placeholder="Be brief. Say where each fact comes from."
    )
    temperature = _number("Temperature", placeholder="0.7")
    max_tokens = _number("Max tokens", placeholder="1024")
    key = _line(
        "Key",
        placeholder="Oldest active key",
        list="key-names",
        help_text="The name of one of your provider keys.",
    )
    id = _line("Id", placeholder="From the name", spellcheck="false")
    extra = _text(
        "Other fields, as JSON",
        rows=3,
        spellcheck="false",
        help_text="description, capabilities, fallbacks",
    )

    def __init__(self, row: Row, *, prefix: str) -> None:
        super().__init__(row, prefix=prefix)
        self.fields["model"].widget.attrs["list"] = f"models-{row['provider'] or 'local'}"


class TaskForm(_RowForm):
    """One task, as typed."""

    name = _line("Name", required=True, placeholder="Gather facts")
    description = _text(
        "Prompt",
        required=True,
        rows=5,
        placeholder="List five facts about {{ input.topic }}.",
        help_text="{{ input.topic }} is asked for when it runs; {{ tasks.gather.output }} is "
        "another task's answer. Without any, the answers it runs after are appended.",
    )
    agent_id = _choice("Agent")
    dependencies = _line(
        "Runs after",
        placeholder="Nothing: starts at once",
        spellcheck="false",
        help_text="Tasks by id or name, with commas between.",
    )
    max_retries = _number("Retries", placeholder="2")
    timeout_seconds = _number("Time-out, seconds", placeholder="120")
    id = _line("Id", placeholder="From the name", spellcheck="false")
    extra = _text("Other fields, as JSON", rows=3, spellcheck="false", help_text="input")

    def __init__(self, row: Row, *, prefix: str, agents: list[tuple[str, str]]) -> None:
        super().__init__(row, prefix=prefix)
        known = {value for value, _ in agents}
        lost = [(row["agent_id"], row["agent_id"])] if row["agent_id"] not in known else []
        widget = self.fields["agent_id"].widget
        assert isinstance(widget, forms.Select)
        widget.choices = [*lost, *agents]


class Part:
    """An agent or a task of the editor: open, closed, or folded to hidden inputs.

    Its form is made when something asks for it: the hundreds that are folded need none.
    """

    def __init__(
        self, kind: str, index: int | str, row: Row, agents: list[tuple[str, str]] | None = None
    ) -> None:
        self.kind, self.index, self.row = kind, index, row
        self.prefix = f"{kind}-{index}"
        self.is_open = self.is_folded = False
        self._agents = agents or []

    @classmethod
    def blank(cls, kind: str) -> "Part":
        """A part to come; scripts put a number in place of its `__n__`."""
        return cls(kind, "__n__", new_agent() if kind == "agents" else new_task())

    @cached_property
    def form(self) -> AgentForm | TaskForm:
        """The fields, with what was typed."""
        if self.kind == "agents":
            return AgentForm(self.row, prefix=self.prefix)
        return TaskForm(self.row, prefix=self.prefix, agents=self._agents)

    @property
    def title(self) -> str:
        """The name, the id while there is none, and words for a part that has neither yet."""
        new = "New agent" if self.kind == "agents" else "New task"
        return self.row["name"].strip() or self.row["id"] or new

    @property
    def hidden(self) -> SafeString:
        """What was typed, as hidden inputs."""
        typed = ((self.prefix, name, text) for name, text in self.row.items() if text)
        return format_html_join("", '<input type="hidden" name="{}-{}" value="{}">', typed)


def new_agent() -> Row:
    """An agent before anything is typed: on the embedded model, which needs no key."""
    return {**_empty("agents"), "provider": "local", "model": catalogue.LOCAL_MODEL}


def new_task(agent_id: str = "") -> Row:
    """A task before anything is typed."""
    return {**_empty("tasks"), "agent_id": agent_id}


def _empty(kind: str) -> Row:
    return dict.fromkeys(drafts.FIELDS[kind], "")


class KeyForm(forms.Form):
    """A key to add."""

    provider = forms.ChoiceField(choices=KeyProvider.choices, initial=KeyProvider.ANTHROPIC)
    name = forms.CharField(
        max_length=100,
        initial="main",
        help_text="How agents refer to it. Without a name they use your oldest active key.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    key = forms.CharField(
        max_length=1000,
        help_text="Encrypted before it is stored, and never shown again.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    base_url = forms.CharField(
        label="Base URL",
        max_length=500,
        required=False,
        help_text="For a custom provider only, such as https://llm.example.com/v1.",
        widget=forms.URLInput(attrs={"autocomplete": "off", "placeholder": "https://…/v1"}),
    )

    def save(self, user: User) -> ApiKey:
        """Store the key. Raises AppError with what is wrong with it."""
        data = self.cleaned_data
        return ApiKey.store(
            user=user,
            provider=data["provider"],
            name=data["name"],
            secret=data["key"],
            base_url=data["base_url"],
        )


class KeyChangeForm(forms.Form):
    """Another name for a key, or another secret in its place; a new address needs a new secret."""

    name = forms.CharField(max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    key = forms.CharField(
        label="New key",
        max_length=1000,
        required=False,
        help_text="Leave it empty to keep the stored one.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    base_url = forms.CharField(
        label="Base URL",
        max_length=500,
        required=False,
        help_text="Changes only together with a new key.",
        widget=forms.URLInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, data: Any = None, *, instance: ApiKey) -> None:
        super().__init__(data, initial={"name": instance.name, "base_url": instance.base_url})
        self.instance = instance
        if instance.provider != KeyProvider.CUSTOM:
            del self.fields["base_url"]

    def clean(self) -> None:
        """Refuse to point a stored key at another address."""
        data = super().clean() or self.cleaned_data
        moved = data.get("base_url", self.instance.base_url) != self.instance.base_url
        if moved and not data.get("key"):
            self.add_error("key", "Enter the key again to use it at another address.")

    @transaction.atomic
    def save(self, by: User) -> ApiKey:
        """Write what changed. Raises AppError with what is wrong."""
        data, key = self.cleaned_data, self.instance
        if data["name"] != key.name:
            key.rename(data["name"], by=by)
        if data["key"]:
            key.replace_secret(data["key"], by=by, base_url=data.get("base_url"))
        return key
