import sys

import pytest

from hummbl import cache
from workflows.markdown import MAX_MARKDOWN, MAX_SHOWN, render


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](vbscript:x)",
        "[x](https://a.example \"onclick='x'\")",
        "![x](https://evil.example/pixel.png)",
        "![x][1]\n\n[1]: https://evil.example/pixel.png",
        '<https://a.example/"onmouseover=alert(1)>',
        "```html\n<script>alert(1)</script>\n```",
        "<style>body{display:none}</style>",
        "<iframe src=https://evil.example></iframe>",
        '<a href="https://x.example" style="position:fixed">x</a>',
    ],
)
def test_nothing_dangerous_comes_through(text):
    """security.md 22."""
    html = render(text).lower()
    for trap in ("<script", "<img", "<svg", "<style", "<iframe", 'href="javascript', 'href="data'):
        assert trap not in html
    for tag in html.split("<")[1:]:
        inside = tag.split(">")[0]
        assert " on" not in inside.replace('title="on', "")
        assert "style=" not in inside


def test_links_tell_nobody_and_lend_no_fame():
    assert 'rel="nofollow noopener noreferrer"' in render("[x](https://a.example)")


def test_an_image_becomes_its_description():
    assert "[image: a &lt;b&gt;]" in render("![a <b>](https://a.example/x.png)")


def test_what_is_allowed_is_kept():
    html = render("# One\n\n## Two\n\n- a\n- b\n\n|x|y|\n|-|-|\n|1|2|\n\n~~old~~ `code`\n\n3. c")
    for tag in (
        "<h3>One",
        "<h4>Two",
        "<ul>",
        "<table>",
        "<td>1",
        "<s>old",
        "<code>",
        '<ol start="3">',
    ):
        assert tag in html


def test_long_texts_are_not_parsed():
    html = render("*a* <b>" + "x" * MAX_MARKDOWN)
    assert html.startswith("<pre>*a* &lt;b&gt;")


def test_very_long_texts_are_cut():
    html = render("x" * (MAX_SHOWN + 1))
    assert "The first 500,000 of 500,001 characters" in html
    assert len(html) < MAX_SHOWN + 500


def work(text):
    """How many functions are called to render that text: its cost, on any machine."""
    calls = 0

    def count(_frame, event, _argument):
        nonlocal calls
        calls += event == "call"

    cache.clear()
    sys.setprofile(count)
    try:
        render(text)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("piece", ["[", "*a ", "> ", "`", "<", "- ", "![", "a](", "|", "\n#", "~~"])
def test_no_text_is_slow(piece):
    """Twice the text is not four times the work."""
    assert work(piece * 1000) < 3 * work(piece * 500)


def test_it_is_rendered_once():
    cache.clear()
    assert render("*one* text") == render("*one* text") == "<p><em>one</em> text</p>\n"
    assert cache.stats()["markdown"] == {"hits": 1, "misses": 1}
    # What is long is not kept: a few of them would fill the memory.
    render("long " * 5000)
    assert cache.stats()["markdown"] == {"hits": 1, "misses": 1}
