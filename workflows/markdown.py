"""Model output as HTML. It is untrusted: no markup of its own, no image, no dangerous link."""

from collections.abc import Sequence
from typing import Any, Final

import nh3
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from hummbl import cache

MAX_MARKDOWN: Final = 100_000
MAX_SHOWN: Final = 500_000
# The cache bounds how many texts it keeps, not how long they are.
MAX_KEPT: Final = 20_000
KEPT_SECONDS: Final = 3600
_TAGS: Final = {
    *("h3", "h4", "h5", "h6", "p", "br", "hr", "blockquote", "ul", "ol", "li"),
    *("strong", "em", "s", "code", "pre", "a"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES: Final = {"a": {"href", "title"}, "ol": {"start"}}
# The page around it has the first and second level.
_OUTER_LEVELS: Final = 2


def render(text: str) -> SafeString:
    """Sanitised HTML of Markdown.

    More than MAX_MARKDOWN characters are shown as plain text, and no more than MAX_SHOWN at all.
    What is not longer than MAX_KEPT is kept for the next who reads it.
    """
    if len(text) > MAX_MARKDOWN:
        return _plain(text)
    if len(text) > MAX_KEPT:
        return _clean(text)
    return cache.get_or_set("markdown", text, KEPT_SECONDS, lambda: _clean(text))


def _clean(text: str) -> SafeString:
    html = nh3.clean(
        _parser.render(text),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer",
    )
    # nh3 has cleaned it: this is the one place where its result is trusted.
    return mark_safe(html)  # noqa: S308


def _plain(text: str) -> SafeString:
    if len(text) <= MAX_SHOWN:
        return format_html("<pre>{}</pre>", text)
    note = f"The first {MAX_SHOWN:,} of {len(text):,} characters; the API gives the whole."
    return format_html("<p>{}</p><pre>{}</pre>", note, text[:MAX_SHOWN])


def _image(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any
) -> str:
    """An image's description in place of the image: loading it would tell its server who reads."""
    return escape(f"[image: {tokens[index].content or 'no description'}]")


def _lower_headings(state: Any) -> None:
    for token in state.tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + _OUTER_LEVELS)}"


def _build() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.core.ruler.push("lower_headings", _lower_headings)
    parser.add_render_rule("image", _image)
    return parser


_parser: Final = _build()
