"""JSON as HTML: nested lists that open and close without script.

The values are untrusted: all text is escaped, and depth, length and number of what is drawn are
bounded, so that no answer of a model can make a page that a browser cannot show.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

MAX_NODES: Final = 2_000
MAX_DEPTH: Final = 24
MAX_TEXT: Final = 5_000
# What is open at first: all of a small value, the outermost levels of a large one.
_OPEN_NODES: Final = 60
_OPEN_LEVELS: Final = 2


def render(value: Any) -> SafeString:
    """The tree of a JSON value. What does not fit into the bounds is said, not shown."""
    tree = _Tree(open_all=_size(value, _OPEN_NODES) < _OPEN_NODES)
    html = f'<ul class="jt">{tree.item("", value, 0)}</ul>'
    # Every piece of text in it went through escape().
    return mark_safe(html)  # noqa: S308


class _Tree:
    def __init__(self, *, open_all: bool) -> None:
        self.open_all = open_all
        self.left = MAX_NODES

    def item(self, label: str, value: Any, depth: int) -> str:
        self.left -= 1
        if isinstance(value, dict | list):
            return f"<li>{self._branch(label, value, depth)}</li>"
        return f"<li>{label}{_leaf(value)}</li>"

    def _branch(self, label: str, value: dict[str, Any] | list[Any], depth: int) -> str:
        size = f'<span class="jt-size">{_count(value)}</span>'
        if not value:
            return f"{label}{size}"
        if depth >= MAX_DEPTH:
            return f"{label}{size}{_note('Nested too deep to show; see Raw.')}"
        is_open = " open" if self.open_all or depth < _OPEN_LEVELS else ""
        inside = self._inside(value, depth + 1)
        return f"<details{is_open}><summary>{label}{size}</summary><ul>{inside}</ul></details>"

    def _inside(self, value: dict[str, Any] | list[Any], depth: int) -> str:
        parts = []
        for done, (key, inner) in enumerate(_pairs(value)):
            if self.left <= 0:
                parts.append(f"<li>{_note(f'{len(value) - done:,} more; see Raw.')}</li>")
                break
            parts.append(self.item(_label(key), inner, depth))
        return "".join(parts)


def _pairs(value: dict[str, Any] | list[Any]) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    else:
        yield from enumerate(value)


def _label(key: str | int) -> str:
    if isinstance(key, int):
        return f'<span class="jt-at">{key}</span>'
    return f'<span class="jt-key">{escape(_short(key))}:</span>'


def _leaf(value: Any) -> str:
    if isinstance(value, str):
        return f'<span class="jt-str">“{escape(_short(value))}”</span>'
    if isinstance(value, bool) or value is None:
        return f'<span class="jt-word">{json.dumps(value)}</span>'
    return f'<span class="jt-num">{escape(_short(json.dumps(value)))}</span>'


def _short(text: str) -> str:
    # An escape such as \\ud800 makes half a character, which no page can be encoded with.
    text = text.encode(errors="replace").decode()
    if len(text) <= MAX_TEXT:
        return text
    return f"{text[:MAX_TEXT]}… ({len(text) - MAX_TEXT:,} more characters)"


def _count(value: dict[str, Any] | list[Any]) -> str:
    size = len(value)
    if isinstance(value, dict):
        return f"{{{size:,} {'key' if size == 1 else 'keys'}}}"
    return f"[{size:,} {'item' if size == 1 else 'items'}]"


def _note(text: str) -> str:
    return f' <span class="jt-note">{text}</span>'


def _size(value: Any, enough: int) -> int:
    """How many values it holds, itself included; counting ends at `enough`."""
    count, waiting = 0, [value]
    while waiting and count < enough:
        inner = waiting.pop()
        count += 1
        if isinstance(inner, dict):
            waiting += list(inner.values())[:enough]
        elif isinstance(inner, list):
            waiting += inner[:enough]
    return count
