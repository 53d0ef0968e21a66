"""The template tags and filters of the workflow pages."""

import json
from typing import Any

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.safestring import SafeString

from workflows import markdown as markdown_
from workflows.execution_page import json_tree as json_tree_
from workflows.models.api_key import KeyProvider

register = template.Library()

PROVIDER_NAMES = {"local": "Embedded model", **dict(KeyProvider.choices), "custom": "Custom"}

# What to do about a failed task, by error code: a page, and what its link says.
_KEYS, _EDIT = "key_list", "workflow_edit"
_ADVICE = {
    "missing_key": (_KEYS, "Add a key"),
    "authentication": (_KEYS, "Check the key"),
    "permission": (_KEYS, "Check the key"),
    "quota": (_KEYS, "Use another key"),
    "outbound_refused": (_KEYS, "Check the address of the key"),
    "not_found": (_EDIT, "Choose another model"),
    "bad_request": (_EDIT, "Edit the workflow"),
    "too_large": (_EDIT, "Shorten the prompt"),
    "content_filter": (_EDIT, "Edit the prompt"),
    "unknown_placeholder": (_EDIT, "Edit the prompt"),
    "output_not_json": (_EDIT, "Edit the prompt"),
    "prompt_too_long": (_EDIT, "Shorten the prompt"),
    "timeout": (_EDIT, "Raise the time-out"),
    "budget_refused": ("workflow_run", "Run with a higher cap"),
}


@register.filter
def markdown(text: str) -> SafeString:
    """Model output as sanitised HTML."""
    return markdown_.render(text)


@register.filter
def json_tree(value: Any) -> SafeString:
    """A JSON value as a tree to open and close."""
    return json_tree_.render(value)


@register.filter
def provider_name(provider: str) -> str:
    """A provider's name for people."""
    return str(PROVIDER_NAMES.get(provider, provider))


@register.filter
def pretty_json(value: Any) -> str:
    """JSON with line breaks."""
    return json.dumps(value, indent=2, ensure_ascii=False)


@register.filter
def short_id(value: Any) -> str:
    """The end of an id, which tells rows apart: ids of one day begin alike."""
    return str(value)[-6:]


@register.inclusion_tag("workflows/_advice.html", takes_context=True)
def advice(context: Context, error_code: str, execution: Any) -> dict[str, Any]:
    """The link to where a failure can be put right, if there is such a place for this user."""
    if error_code == "internal_error" and context["user"].is_admin:
        return {
            "url": reverse("manage_errors", query={"status": "any", "q": execution.pk}),
            "label": "See the error",
        }
    name, label = _ADVICE.get(error_code, ("", ""))
    if not name:
        return {}
    url = reverse(name) if name == _KEYS else reverse(name, args=[execution.workflow_id])
    return {"url": url, "label": label}


@register.filter
def item(mapping: Any, key: Any) -> Any:
    """The entry of a mapping; None when there is none."""
    return mapping.get(key)
