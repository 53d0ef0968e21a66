"""JSON on a page of the Django admin."""

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from workflows.templatetags.workflows import pretty_json


def as_json(value: Any) -> SafeString:
    """The value with line breaks, escaped."""
    return format_html("<pre>{}</pre>", pretty_json(value))
